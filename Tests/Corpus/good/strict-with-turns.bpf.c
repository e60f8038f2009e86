// SPDX-License-Identifier: GPL-2.0-only
/* Heavy tasks first, and at every fourth turn of a CPU the light ones: strict to look at, bounded in fact. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define HEAVY 0
#define LIGHT 1

struct turn {
	u32 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct turn);
} turns SEC(".maps");

s32 BPF_STRUCT_OPS(strict_with_turns_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(strict_with_turns_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, p->scx.weight >= 100 ? HEAVY : LIGHT, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(strict_with_turns_dispatch, s32 cpu, struct task_struct *prev)
{
	struct turn *turn = bpf_map_lookup_elem(&turns, &(u32){0});

	if (turn && ++turn->count % 4 == 0 && dsq_move_to_local(LIGHT, 0))
		return;
	if (!dsq_move_to_local(HEAVY, 0))
		dsq_move_to_local(LIGHT, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(strict_with_turns_init)
{
	s32 error = scx_bpf_create_dsq(HEAVY, -1);

	return error ?: scx_bpf_create_dsq(LIGHT, -1);
}

void BPF_STRUCT_OPS(strict_with_turns_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(strict_with_turns_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(strict_with_turns_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(strict_with_turns_ops,
	  .select_cpu = (void *)strict_with_turns_select_cpu,
	  .enqueue = (void *)strict_with_turns_enqueue,
	  .dispatch = (void *)strict_with_turns_dispatch,
	  .cpu_online = (void *)strict_with_turns_cpu_online,
	  .cpu_offline = (void *)strict_with_turns_cpu_offline,
	  .init = (void *)strict_with_turns_init,
	  .exit = (void *)strict_with_turns_exit,
	  .timeout_ms = 10000,
	  .name = "strict_with_turns");
