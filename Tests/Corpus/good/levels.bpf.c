// SPDX-License-Identifier: GPL-2.0-only
/* levels: who is said to need long waits longer, half a second for each second, and no longer than 7.5 s. */
#include <primitives/bounded-priority.bpf.h>
#include <primitives/hint-map.bpf.h>
#include <primitives/idle-cpu.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define SLICE_NS (4 * NSEC_PER_MSEC)
#define STEP_NS (500 * NSEC_PER_MSEC)
#define LEVEL_LAST_NS (15 * NSEC_PER_SEC)

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hint);
} hints SEC(".maps");

/* Of nobody known: the first. */
static u32 level_of(struct task_struct *p)
{
	struct hint *hint = bpf_task_storage_get(&hints, p, 0, 0);

	return hint ? hint_map_of(p, hint, LEVEL_LAST_NS, 0) / NSEC_PER_SEC : 0;
}

s32 BPF_STRUCT_OPS(levels_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool placed;

	return idle_cpu_select(p, prev_cpu, wake_flags, SLICE_NS, &placed);
}

void BPF_STRUCT_OPS(levels_enqueue, struct task_struct *p, u64 enq_flags)
{
	bounded_priority_put(p, QUEUE, level_of(p), STEP_NS, SLICE_NS, enq_flags);
	idle_cpu_wake(p);
}

void BPF_STRUCT_OPS(levels_dispatch, s32 cpu, struct task_struct *prev)
{
	bounded_priority_take(QUEUE, cpu, prev, prev ? level_of(prev) : 0, STEP_NS, SLICE_NS);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(levels_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct hint *hint = bpf_task_storage_get(&hints, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!hint)
		return -ENOMEM;
	hint_map_init(hint);
	return 0;
}

void BPF_STRUCT_OPS(levels_cpu_online, s32 cpu) {}
void BPF_STRUCT_OPS(levels_cpu_offline, s32 cpu) {}

s32 BPF_STRUCT_OPS_SLEEPABLE(levels_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(levels_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(levels_ops, .select_cpu = (void *)levels_select_cpu, .enqueue = (void *)levels_enqueue,
	  .dispatch = (void *)levels_dispatch, .init_task = (void *)levels_init_task,
	  .cpu_online = (void *)levels_cpu_online, .cpu_offline = (void *)levels_cpu_offline, .init = (void *)levels_init,
	  .exit = (void *)levels_exit, .timeout_ms = 30000, .name = "levels");
