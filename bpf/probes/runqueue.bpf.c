// SPDX-License-Identifier: GPL-2.0-only
/*
 * runqueue: what a scheduler does to its tasks, seen from outside of it: how long each waited between becoming runnable and
 * running, and for how much of that time a CPU on which it may run had nothing to do.
 *
 * Runs in the micro-VM of a trial, loaded by schedcp-guest. Only the scheduler core's tracepoints are used and no kernel
 * function, so that the candidate's own choice of functions and any kernel from 6.12 on is served.
 *
 * Times are bpf_ktime_get_ns(). The groups and CPUs lie in .bss, which the reader maps; a number that is read while it
 * changes is off by one event. A task belongs to a group by its name: "~" and a digit or letter, as the trial's workers
 * call themselves; all others are group 0.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define MAX_CPUS 16
#define MAX_GROUPS 64
#define MAX_TASKS 16384
#define BUCKETS 32
#define MAX_RT_PRIO 100
#define SCHED_EXT 7
#define TASK_DEAD 0x80
/* Shorter waits are those of a CPU that is on its way out of idle. */
#define SHORT_WAIT_NS (4 * 1000 * 1000)

struct task_record {
	u64 since; /* when it became runnable; 0 while it runs or sleeps */
	u64 runs;
	u64 mask; /* of the first 64 CPUs, those on which it may run */
	u32 pid;
	u32 group;
	u32 prio; /* 100 + nice + 20 */
	u32 policy;
	char comm[16];
	u64 idle_at[MAX_CPUS]; /* each CPU's idle time when the wait began */
};

struct group_stats {
	u64 waits;
	u64 total;   /* ns */
	u64 longest; /* ns */
	u64 longest_pid;
	u64 idle_total;   /* ns of waiting beside an idle CPU, of waits that were not short */
	u64 idle_longest; /* the most of one wait */
	u64 buckets[BUCKETS]; /* by the binary logarithm of the wait in µs */
};

struct cpu_state {
	u64 idle_since; /* 0 while something runs */
	u64 idle_total;
};

struct group_stats groups[MAX_GROUPS];
struct cpu_state cpus[MAX_CPUS];
/* Set by the reader: count only tasks whose policy is SCHED_EXT, where the scheduler takes no others. */
u32 only_ext_policy;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TASKS);
	__type(key, u32);
	__type(value, struct task_record);
} tasks SEC(".maps");

static const struct task_record empty_record;

static __always_inline bool is_counted(const struct task_struct *p)
{
	return p->pid && p->prio >= MAX_RT_PRIO && (!only_ext_policy || p->policy == SCHED_EXT);
}

static __always_inline u64 idle_time(u32 cpu, u64 now)
{
	u64 since = cpus[cpu].idle_since;

	return cpus[cpu].idle_total + (since && now > since ? now - since : 0);
}

static __always_inline u32 group_of(const char *comm)
{
	return comm[0] == '~' ? (u32)(comm[1] - '0') % MAX_GROUPS : 0;
}

static __always_inline struct task_record *record_of(u32 pid)
{
	struct task_record *record = bpf_map_lookup_elem(&tasks, &pid);

	if (record)
		return record;
	bpf_map_update_elem(&tasks, &pid, &empty_record, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tasks, &pid);
}

static void begin_wait(struct task_struct *p, u64 now)
{
	struct task_record *record;
	u32 cpu;

	if (!is_counted(p))
		return;
	record = record_of(p->pid);
	if (!record || record->since)
		return;
	record->pid = p->pid;
	record->prio = p->prio;
	record->policy = p->policy;
	record->mask = p->cpus_ptr->bits[0];
	bpf_probe_read_kernel(record->comm, sizeof(record->comm), p->comm);
	record->group = group_of(record->comm);
	for (cpu = 0; cpu < MAX_CPUS; cpu++)
		record->idle_at[cpu] = idle_time(cpu, now);
	record->since = now;
}

static __always_inline u32 bucket_of(u64 wait)
{
	u64 us = wait / 1000;
	u32 bucket = 0;

	for (int step = 16; step; step /= 2) {
		if (us >> step) {
			us >>= step;
			bucket += step;
		}
	}
	return bucket % BUCKETS;
}

/* The most that one of the CPUs on which the task might have run was idle while it waited. */
static __always_inline u64 idle_beside(const struct task_record *record, u64 mask, u64 now)
{
	u64 most = 0;
	u32 cpu;

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		u64 idle = idle_time(cpu, now), before = record->idle_at[cpu];

		if ((mask >> cpu & 1) && idle > before && idle - before > most)
			most = idle - before;
	}
	return most;
}

static void end_wait(struct task_struct *p, u64 now)
{
	struct task_record *record;
	struct group_stats *group;
	u64 wait, idle;
	u32 pid = p->pid;

	record = bpf_map_lookup_elem(&tasks, &pid);
	if (!record)
		return;
	record->runs++;
	if (!record->since)
		return;
	wait = now > record->since ? now - record->since : 0;
	record->since = 0;
	group = &groups[record->group % MAX_GROUPS];
	__sync_fetch_and_add(&group->waits, 1);
	__sync_fetch_and_add(&group->total, wait);
	__sync_fetch_and_add(&group->buckets[bucket_of(wait)], 1);
	/* Two CPUs at once may lose the smaller of two maxima or keep it: the next long wait mends it. */
	if (wait > group->longest) {
		group->longest = wait;
		group->longest_pid = pid;
	}
	if (wait < SHORT_WAIT_NS)
		return;
	idle = idle_beside(record, record->mask & p->cpus_ptr->bits[0], now);
	__sync_fetch_and_add(&group->idle_total, idle);
	if (idle > group->idle_longest)
		group->idle_longest = idle;
}

/* A task that runs may be woken too, and does not wait. */
SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *p)
{
	if (!p->on_cpu)
		begin_wait(p, bpf_ktime_get_ns());
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *p)
{
	begin_wait(p, bpf_ktime_get_ns());
	return 0;
}

/* The task is off the queue but for fair tasks whose dequeue the kernel delays. */
static __always_inline bool is_runnable(const struct task_struct *p)
{
	return p->on_rq && !(bpf_core_field_exists(p->se.sched_delayed) && p->se.sched_delayed);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
{
	u64 now = bpf_ktime_get_ns();
	u32 cpu = bpf_get_smp_processor_id();
	u32 pid = prev->pid;

	if (cpu < MAX_CPUS) {
		u64 since = cpus[cpu].idle_since;

		if (!pid && since) {
			cpus[cpu].idle_since = 0;
			cpus[cpu].idle_total += now > since ? now - since : 0;
		}
		if (!next->pid)
			cpus[cpu].idle_since = now;
	}
	if (pid && (prev_state & TASK_DEAD) && !preempt)
		bpf_map_delete_elem(&tasks, &pid);
	else if (pid && is_runnable(prev))
		begin_wait(prev, now);
	if (next->pid)
		end_wait(next, now);
	return 0;
}
