// SPDX-License-Identifier: GPL-2.0-only
/* Moves waiting tasks into the global queue from a timer. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define CLOCK_MONOTONIC 1
#define QUEUE 0

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

struct drain {
	struct bpf_timer timer;
	s32 pid;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct drain);
} drains SEC(".maps");

s32 BPF_STRUCT_OPS(context_insert_in_timer_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(context_insert_in_timer_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(context_insert_in_timer_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

static int drain_one(void *map, int *key, struct drain *drain)
{
	struct task_struct *p = bpf_task_from_pid(drain->pid);

	if (p) {
		/* FLAW kfunc-context static */
		dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
	bpf_timer_start(&drain->timer, 10 * NSEC_PER_MSEC, 0);
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(context_insert_in_timer_init)
{
	struct drain *drain = bpf_map_lookup_elem(&drains, &(u32){0});

	if (!drain)
		return -ENOMEM;
	drain->pid = 1;
	bpf_timer_init(&drain->timer, &drains, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&drain->timer, drain_one);
	bpf_timer_start(&drain->timer, 10 * NSEC_PER_MSEC, 0);
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(context_insert_in_timer_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(context_insert_in_timer_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(context_insert_in_timer_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(context_insert_in_timer_ops,
	  .select_cpu = (void *)context_insert_in_timer_select_cpu,
	  .enqueue = (void *)context_insert_in_timer_enqueue,
	  .dispatch = (void *)context_insert_in_timer_dispatch,
	  .cpu_online = (void *)context_insert_in_timer_cpu_online,
	  .cpu_offline = (void *)context_insert_in_timer_cpu_offline,
	  .init = (void *)context_insert_in_timer_init,
	  .exit = (void *)context_insert_in_timer_exit,
	  .timeout_ms = 10000,
	  .name = "context_insert_in_timer");
