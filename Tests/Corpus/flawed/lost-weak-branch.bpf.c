// SPDX-License-Identifier: GPL-2.0-only
/* Uses the newer insertion where the kernel has it, and there forgets what the older branch does. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(lost_weak_branch_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(lost_weak_branch_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 waiting = scx_bpf_dsq_nr_queued(QUEUE);

	if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___v619)) {
		/* FLAW lost-task static */
		if (waiting < 64)
			scx_bpf_dsq_insert___v2___v619(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	} else {
		scx_bpf_dispatch___v612(p, QUEUE, waiting < 64 ? SCX_SLICE_DFL : SCX_SLICE_DFL / 2, enq_flags);
	}
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(lost_weak_branch_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_weak_branch_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(lost_weak_branch_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_weak_branch_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_weak_branch_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_weak_branch_ops,
	  .select_cpu = (void *)lost_weak_branch_select_cpu,
	  .enqueue = (void *)lost_weak_branch_enqueue,
	  .dispatch = (void *)lost_weak_branch_dispatch,
	  .cpu_online = (void *)lost_weak_branch_cpu_online,
	  .cpu_offline = (void *)lost_weak_branch_cpu_offline,
	  .init = (void *)lost_weak_branch_init,
	  .exit = (void *)lost_weak_branch_exit,
	  .timeout_ms = 10000,
	  .name = "lost_weak_branch");
