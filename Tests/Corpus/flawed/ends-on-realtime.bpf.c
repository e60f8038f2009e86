// SPDX-License-Identifier: GPL-2.0-only
/* Gives up when a real-time task takes a CPU from it. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(ends_on_realtime_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(ends_on_realtime_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(ends_on_realtime_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

static u32 taken;

void BPF_STRUCT_OPS(ends_on_realtime_cpu_release, s32 cpu, struct scx_cpu_release_args *args)
{
	/* FLAW ejected dynamic */
	if (__sync_add_and_fetch(&taken, 1) > 5)
		scheduler_error("CPU %d was taken away too often", cpu);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ends_on_realtime_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(ends_on_realtime_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(ends_on_realtime_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(ends_on_realtime_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ends_on_realtime_ops,
	  .select_cpu = (void *)ends_on_realtime_select_cpu,
	  .enqueue = (void *)ends_on_realtime_enqueue,
	  .dispatch = (void *)ends_on_realtime_dispatch,
	  .cpu_release = (void *)ends_on_realtime_cpu_release,
	  .cpu_online = (void *)ends_on_realtime_cpu_online,
	  .cpu_offline = (void *)ends_on_realtime_cpu_offline,
	  .init = (void *)ends_on_realtime_init,
	  .exit = (void *)ends_on_realtime_exit,
	  .timeout_ms = 10000,
	  .name = "ends_on_realtime");
