// SPDX-License-Identifier: GPL-2.0-only
/* Counts how often CPUs go idle; the kernel's own tracking of idle CPUs is kept on beside it, so it may be asked. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

static u64 changes;

s32 BPF_STRUCT_OPS(idle_replaced_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(idle_replaced_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(idle_replaced_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(idle_replaced_update_idle, s32 cpu, bool idle)
{
	__sync_fetch_and_add(&changes, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(idle_replaced_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(idle_replaced_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(idle_replaced_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(idle_replaced_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(idle_replaced_ops,
	  .select_cpu = (void *)idle_replaced_select_cpu,
	  .enqueue = (void *)idle_replaced_enqueue,
	  .dispatch = (void *)idle_replaced_dispatch,
	  .update_idle = (void *)idle_replaced_update_idle,
	  .cpu_online = (void *)idle_replaced_cpu_online,
	  .cpu_offline = (void *)idle_replaced_cpu_offline,
	  .init = (void *)idle_replaced_init,
	  .exit = (void *)idle_replaced_exit,
	  .flags = 1ULL << 0, /* SCX_OPS_KEEP_BUILTIN_IDLE */
	  .timeout_ms = 10000,
	  .name = "idle_replaced");
