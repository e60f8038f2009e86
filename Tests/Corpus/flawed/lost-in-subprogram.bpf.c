// SPDX-License-Identifier: GPL-2.0-only
/* Chooses the queue in a function of its own, which has no answer for light tasks. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define HEAVY 0
#define NORMAL 1

s32 BPF_STRUCT_OPS(lost_in_subprogram_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static __noinline int place(struct task_struct *p, u64 enq_flags)
{
	u32 weight = p->scx.weight;

	if (weight >= 200) {
		dsq_insert(p, HEAVY, SCX_SLICE_DFL, enq_flags);
		return 0;
	}
	/* FLAW lost-task static */
	if (weight < 50)
		return -1;
	dsq_insert(p, NORMAL, SCX_SLICE_DFL, enq_flags);
	return 1;
}

void BPF_STRUCT_OPS(lost_in_subprogram_enqueue, struct task_struct *p, u64 enq_flags)
{
	place(p, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(lost_in_subprogram_dispatch, s32 cpu, struct task_struct *prev)
{
	/* Alternately the one and the other first, by the low bits of the time. */
	u64 first = (clock_now() >> 20) & 1;

	if (!dsq_move_to_local(first ? HEAVY : NORMAL, 0))
		dsq_move_to_local(first ? NORMAL : HEAVY, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_in_subprogram_init)
{
	s32 error = scx_bpf_create_dsq(HEAVY, -1);

	return error ?: scx_bpf_create_dsq(NORMAL, -1);
}

void BPF_STRUCT_OPS(lost_in_subprogram_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_in_subprogram_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_in_subprogram_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_in_subprogram_ops,
	  .select_cpu = (void *)lost_in_subprogram_select_cpu,
	  .enqueue = (void *)lost_in_subprogram_enqueue,
	  .dispatch = (void *)lost_in_subprogram_dispatch,
	  .cpu_online = (void *)lost_in_subprogram_cpu_online,
	  .cpu_offline = (void *)lost_in_subprogram_cpu_offline,
	  .init = (void *)lost_in_subprogram_init,
	  .exit = (void *)lost_in_subprogram_exit,
	  .timeout_ms = 10000,
	  .name = "lost_in_subprogram");
