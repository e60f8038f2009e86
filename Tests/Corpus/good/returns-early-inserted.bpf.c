// SPDX-License-Identifier: GPL-2.0-only
/* Returns early for tasks that exit, having queued them. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define PF_EXITING 0x00000004

static u64 exiting;

s32 BPF_STRUCT_OPS(returns_early_inserted_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(returns_early_inserted_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->flags & PF_EXITING) {
		dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
		__sync_fetch_and_add(&exiting, 1);
		return;
	}
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(returns_early_inserted_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(returns_early_inserted_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(returns_early_inserted_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(returns_early_inserted_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(returns_early_inserted_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(returns_early_inserted_ops,
	  .select_cpu = (void *)returns_early_inserted_select_cpu,
	  .enqueue = (void *)returns_early_inserted_enqueue,
	  .dispatch = (void *)returns_early_inserted_dispatch,
	  .cpu_online = (void *)returns_early_inserted_cpu_online,
	  .cpu_offline = (void *)returns_early_inserted_cpu_offline,
	  .init = (void *)returns_early_inserted_init,
	  .exit = (void *)returns_early_inserted_exit,
	  .flags = 1ULL << 2, /* SCX_OPS_ENQ_EXITING */
	  .timeout_ms = 10000,
	  .name = "returns_early_inserted");
