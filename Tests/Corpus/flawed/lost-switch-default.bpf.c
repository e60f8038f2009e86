// SPDX-License-Identifier: GPL-2.0-only
/* Sorts tasks by the policy they asked for; SCHED_BATCH is forgotten. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define NORMAL 0
#define IDLE 1
#define SCHED_NORMAL 0
#define SCHED_IDLE 5
#define SCHED_EXT 7

s32 BPF_STRUCT_OPS(lost_switch_default_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(lost_switch_default_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW lost-task static */
	switch (p->policy) {
	case SCHED_NORMAL:
	case SCHED_EXT:
		dsq_insert(p, NORMAL, SCX_SLICE_DFL, enq_flags);
		break;
	case SCHED_IDLE:
		dsq_insert(p, IDLE, SCX_SLICE_DFL / 4, enq_flags);
		break;
	}
	wake_idle_cpu_for(p);
}

static u32 turns;

void BPF_STRUCT_OPS(lost_switch_default_dispatch, s32 cpu, struct task_struct *prev)
{
	bool idle_first = __sync_add_and_fetch(&turns, 1) % 8 == 0;

	if (!dsq_move_to_local(idle_first ? IDLE : NORMAL, 0))
		dsq_move_to_local(idle_first ? NORMAL : IDLE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_switch_default_init)
{
	s32 error = scx_bpf_create_dsq(NORMAL, -1);

	return error ?: scx_bpf_create_dsq(IDLE, -1);
}

void BPF_STRUCT_OPS(lost_switch_default_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_switch_default_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_switch_default_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_switch_default_ops,
	  .select_cpu = (void *)lost_switch_default_select_cpu,
	  .enqueue = (void *)lost_switch_default_enqueue,
	  .dispatch = (void *)lost_switch_default_dispatch,
	  .cpu_online = (void *)lost_switch_default_cpu_online,
	  .cpu_offline = (void *)lost_switch_default_cpu_offline,
	  .init = (void *)lost_switch_default_init,
	  .exit = (void *)lost_switch_default_exit,
	  .timeout_ms = 10000,
	  .name = "lost_switch_default");
