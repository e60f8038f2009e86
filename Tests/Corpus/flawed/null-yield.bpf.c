// SPDX-License-Identifier: GPL-2.0-only
/* Reads the task to which another one yields, although most yield to nobody. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(null_yield_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(null_yield_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(null_yield_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

static u64 to_kthreads;

bool BPF_STRUCT_OPS(null_yield_yield, struct task_struct *from, struct task_struct *to)
{
	/* FLAW maybe-null static */
	if (to->flags & 0x00200000)
		__sync_fetch_and_add(&to_kthreads, 1);
	return false;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(null_yield_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(null_yield_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(null_yield_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(null_yield_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(null_yield_ops,
	  .select_cpu = (void *)null_yield_select_cpu,
	  .enqueue = (void *)null_yield_enqueue,
	  .dispatch = (void *)null_yield_dispatch,
	  .yield = (void *)null_yield_yield,
	  .cpu_online = (void *)null_yield_cpu_online,
	  .cpu_offline = (void *)null_yield_cpu_offline,
	  .init = (void *)null_yield_init,
	  .exit = (void *)null_yield_exit,
	  .timeout_ms = 10000,
	  .name = "null_yield");
