// SPDX-License-Identifier: GPL-2.0-only
/* The task that runs gets a new slice whenever its slice ends, whoever waits. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(starve_endless_turn_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(starve_endless_turn_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(starve_endless_turn_dispatch, s32 cpu, struct task_struct *prev)
{
	/* FLAW starvation dynamic */
	if (can_continue(prev, cpu)) {
		task_set_slice(prev, SCX_SLICE_DFL);
		return;
	}
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(starve_endless_turn_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(starve_endless_turn_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_endless_turn_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_endless_turn_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(starve_endless_turn_ops,
	  .select_cpu = (void *)starve_endless_turn_select_cpu,
	  .enqueue = (void *)starve_endless_turn_enqueue,
	  .dispatch = (void *)starve_endless_turn_dispatch,
	  .cpu_online = (void *)starve_endless_turn_cpu_online,
	  .cpu_offline = (void *)starve_endless_turn_cpu_offline,
	  .init = (void *)starve_endless_turn_init,
	  .exit = (void *)starve_endless_turn_exit,
	  .timeout_ms = 10000,
	  .name = "starve_endless_turn");
