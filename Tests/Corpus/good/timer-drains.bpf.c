// SPDX-License-Identifier: GPL-2.0-only
/* enqueue writes pids down; dispatch takes them, and a timer wakes CPUs in case nobody looks. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define CLOCK_MONOTONIC 1
#define QUEUE 0
#define PERIOD_NS (5 * NSEC_PER_MSEC)

struct tick {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tick);
} ticks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8192);
	__type(value, s32);
} waiting SEC(".maps");

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

s32 BPF_STRUCT_OPS(timer_drains_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(timer_drains_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if (bpf_map_push_elem(&waiting, &pid, 0))
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(timer_drains_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	bpf_for(i, 0, 8) {
		struct task_struct *p;
		s32 pid;

		if (bpf_map_pop_elem(&waiting, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
	dsq_move_to_local(QUEUE, 0);
}

static int wake_all(void *map, int *key, struct tick *tick)
{
	u32 nr = nr_cpus(), cpu;

	bpf_for(cpu, 0, nr) {
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
	}
	bpf_timer_start(&tick->timer, PERIOD_NS, 0);
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(timer_drains_init)
{
	struct tick *tick = bpf_map_lookup_elem(&ticks, &(u32){0});
	s32 error = scx_bpf_create_dsq(QUEUE, -1);

	if (error || !tick)
		return error ?: -ENOMEM;
	error = bpf_timer_init(&tick->timer, &ticks, CLOCK_MONOTONIC);
	if (!error)
		error = bpf_timer_set_callback(&tick->timer, wake_all);
	return error ?: bpf_timer_start(&tick->timer, PERIOD_NS, 0);
}

void BPF_STRUCT_OPS(timer_drains_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(timer_drains_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(timer_drains_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(timer_drains_ops,
	  .select_cpu = (void *)timer_drains_select_cpu,
	  .enqueue = (void *)timer_drains_enqueue,
	  .dispatch = (void *)timer_drains_dispatch,
	  .cpu_online = (void *)timer_drains_cpu_online,
	  .cpu_offline = (void *)timer_drains_cpu_offline,
	  .init = (void *)timer_drains_init,
	  .exit = (void *)timer_drains_exit,
	  .dispatch_max_batch = 8,
	  .timeout_ms = 10000,
	  .name = "timer_drains");
