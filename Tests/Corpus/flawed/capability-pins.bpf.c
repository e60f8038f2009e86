// SPDX-License-Identifier: GPL-2.0-only
/* Leaves a map behind in the file system, which outlives the scheduler. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
	/* FLAW capabilities static */
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} left_behind SEC(".maps");

s32 BPF_STRUCT_OPS(capability_pins_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(capability_pins_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(capability_pins_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(capability_pins_running, struct task_struct *p)
{
	u64 *count = bpf_map_lookup_elem(&left_behind, &(u32){0});

	if (count)
		__sync_fetch_and_add(count, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(capability_pins_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(capability_pins_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(capability_pins_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(capability_pins_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(capability_pins_ops,
	  .select_cpu = (void *)capability_pins_select_cpu,
	  .enqueue = (void *)capability_pins_enqueue,
	  .dispatch = (void *)capability_pins_dispatch,
	  .running = (void *)capability_pins_running,
	  .cpu_online = (void *)capability_pins_cpu_online,
	  .cpu_offline = (void *)capability_pins_cpu_offline,
	  .init = (void *)capability_pins_init,
	  .exit = (void *)capability_pins_exit,
	  .timeout_ms = 10000,
	  .name = "capability_pins");
