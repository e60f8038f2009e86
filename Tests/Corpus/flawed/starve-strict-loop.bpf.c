// SPDX-License-Identifier: GPL-2.0-only
/* Five levels by weight, served strictly from the first. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define LEVELS 5

s32 BPF_STRUCT_OPS(starve_strict_loop_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static u64 level_of(const struct task_struct *p)
{
	u32 weight = p->scx.weight;

	return weight > 1000 ? 0 : weight > 200 ? 1 : weight >= 100 ? 2 : weight > 20 ? 3 : 4;
}

void BPF_STRUCT_OPS(starve_strict_loop_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, level_of(p), SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(starve_strict_loop_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 level;

	bpf_for(level, 0, LEVELS) {
		/* FLAW strict-priority static */
		if (dsq_move_to_local(level, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(starve_strict_loop_init)
{
	u32 i;

	bpf_for(i, 0, LEVELS) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(starve_strict_loop_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_strict_loop_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_strict_loop_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(starve_strict_loop_ops,
	  .select_cpu = (void *)starve_strict_loop_select_cpu,
	  .enqueue = (void *)starve_strict_loop_enqueue,
	  .dispatch = (void *)starve_strict_loop_dispatch,
	  .cpu_online = (void *)starve_strict_loop_cpu_online,
	  .cpu_offline = (void *)starve_strict_loop_cpu_offline,
	  .init = (void *)starve_strict_loop_init,
	  .exit = (void *)starve_strict_loop_exit,
	  .timeout_ms = 10000,
	  .name = "starve_strict_loop");
