// SPDX-License-Identifier: GPL-2.0-only
/* Kernel threads run as long as they like, in a function of their own. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define PF_KTHREAD 0x00200000

s32 BPF_STRUCT_OPS(slice_infinite_branch_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static __noinline int queue_kthread(struct task_struct *p, u64 enq_flags)
{
	/* FLAW slice static */
	dsq_insert(p, QUEUE, SCX_SLICE_INF, enq_flags);
	return 0;
}

void BPF_STRUCT_OPS(slice_infinite_branch_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->flags & PF_KTHREAD)
		queue_kthread(p, enq_flags);
	else
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(slice_infinite_branch_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(slice_infinite_branch_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(slice_infinite_branch_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(slice_infinite_branch_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(slice_infinite_branch_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(slice_infinite_branch_ops,
	  .select_cpu = (void *)slice_infinite_branch_select_cpu,
	  .enqueue = (void *)slice_infinite_branch_enqueue,
	  .dispatch = (void *)slice_infinite_branch_dispatch,
	  .cpu_online = (void *)slice_infinite_branch_cpu_online,
	  .cpu_offline = (void *)slice_infinite_branch_cpu_offline,
	  .init = (void *)slice_infinite_branch_init,
	  .exit = (void *)slice_infinite_branch_exit,
	  .timeout_ms = 10000,
	  .name = "slice_infinite_branch");
