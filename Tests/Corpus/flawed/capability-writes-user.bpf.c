// SPDX-License-Identifier: GPL-2.0-only
/* Writes into the memory of the process that it schedules. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(capability_writes_user_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(capability_writes_user_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(capability_writes_user_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(capability_writes_user_running, struct task_struct *p)
{
	u64 mark = 1;

	/* FLAW capabilities static */
	bpf_probe_write_user((void *)0x1000, &mark, sizeof(mark));
}

s32 BPF_STRUCT_OPS_SLEEPABLE(capability_writes_user_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(capability_writes_user_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(capability_writes_user_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(capability_writes_user_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(capability_writes_user_ops,
	  .select_cpu = (void *)capability_writes_user_select_cpu,
	  .enqueue = (void *)capability_writes_user_enqueue,
	  .dispatch = (void *)capability_writes_user_dispatch,
	  .running = (void *)capability_writes_user_running,
	  .cpu_online = (void *)capability_writes_user_cpu_online,
	  .cpu_offline = (void *)capability_writes_user_cpu_offline,
	  .init = (void *)capability_writes_user_init,
	  .exit = (void *)capability_writes_user_exit,
	  .timeout_ms = 10000,
	  .name = "capability_writes_user");
