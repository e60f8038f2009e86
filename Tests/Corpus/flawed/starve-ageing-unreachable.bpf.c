// SPDX-License-Identifier: GPL-2.0-only
/* The counter of turns has eight bits, and the turn of the light tasks is the three hundredth. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define HEAVY 0
#define LIGHT 1
#define TURNS 300

static u8 turns;

s32 BPF_STRUCT_OPS(starve_ageing_unreachable_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(starve_ageing_unreachable_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, p->scx.weight >= 100 ? HEAVY : LIGHT, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(starve_ageing_unreachable_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 count = ++turns;

	if (count == TURNS && dsq_move_to_local(LIGHT, 0))
		return;
	/* FLAW ageing-broken,strict-priority static */
	if (!dsq_move_to_local(HEAVY, 0))
		dsq_move_to_local(LIGHT, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(starve_ageing_unreachable_init)
{
	s32 error = scx_bpf_create_dsq(HEAVY, -1);

	return error ?: scx_bpf_create_dsq(LIGHT, -1);
}

void BPF_STRUCT_OPS(starve_ageing_unreachable_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_ageing_unreachable_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_ageing_unreachable_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(starve_ageing_unreachable_ops,
	  .select_cpu = (void *)starve_ageing_unreachable_select_cpu,
	  .enqueue = (void *)starve_ageing_unreachable_enqueue,
	  .dispatch = (void *)starve_ageing_unreachable_dispatch,
	  .cpu_online = (void *)starve_ageing_unreachable_cpu_online,
	  .cpu_offline = (void *)starve_ageing_unreachable_cpu_offline,
	  .init = (void *)starve_ageing_unreachable_init,
	  .exit = (void *)starve_ageing_unreachable_exit,
	  .timeout_ms = 10000,
	  .name = "starve_ageing_unreachable");
