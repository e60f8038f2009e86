// SPDX-License-Identifier: GPL-2.0-only
/*
 * waits: how long tasks wait between becoming runnable and running, as a histogram, on a machine that is at work: for the live
 * view of the daemon, which loads it while somebody looks. Less than runqueue.bpf.c, which judges trials, and cheaper.
 *
 * Only the scheduler core's tracepoints are used, and no kernel function. A wait is in the map from its beginning to its end;
 * where more tasks wait than it has room for, those beyond are not counted.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define MAX_WAITING 16384
#define BUCKETS 40 /* bucket n: from 2^n to 2^(n+1) ns */
#define MAX_RT_PRIO 100

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_WAITING);
	__type(key, u32);
	__type(value, u64);
} waiting SEC(".maps");

struct histogram {
	u64 counts[BUCKETS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct histogram);
} waits SEC(".maps");

/* Real-time tasks and the kernel's own that stop a CPU are not the scheduler's. */
static __always_inline void begin_wait(const struct task_struct *p)
{
	u64 now = bpf_ktime_get_ns();
	u32 pid = p->pid;

	if (pid && p->prio >= MAX_RT_PRIO)
		bpf_map_update_elem(&waiting, &pid, &now, BPF_NOEXIST);
}

static __always_inline u32 bucket_of(u64 wait)
{
	u32 bucket = 0;

	for (int step = 32; step; step /= 2) {
		if (wait >> step) {
			wait >>= step;
			bucket += step;
		}
	}
	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static __always_inline void end_wait(const struct task_struct *p)
{
	struct histogram *histogram;
	u32 pid = p->pid, zero = 0, bucket;
	u64 *since = bpf_map_lookup_elem(&waiting, &pid), now, wait;

	if (!since)
		return;
	now = bpf_ktime_get_ns();
	wait = now > *since ? now - *since : 0;
	bpf_map_delete_elem(&waiting, &pid);
	histogram = bpf_map_lookup_elem(&waits, &zero);
	bucket = bucket_of(wait);
	if (histogram && bucket < BUCKETS)
		histogram->counts[bucket]++;
}

/* A task that runs may be woken too, and does not wait. */
SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *p)
{
	if (!p->on_cpu)
		begin_wait(p);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *p)
{
	begin_wait(p);
	return 0;
}

/* The task is off the queue but for fair tasks whose dequeue the kernel delays. */
static __always_inline bool is_runnable(const struct task_struct *p)
{
	return p->on_rq && !(bpf_core_field_exists(p->se.sched_delayed) && p->se.sched_delayed);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	if (is_runnable(prev))
		begin_wait(prev);
	if (next->pid)
		end_wait(next);
	return 0;
}
