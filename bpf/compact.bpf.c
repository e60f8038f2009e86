// SPDX-License-Identifier: GPL-2.0-only
/*
 * compact: as few busy CPUs as the load needs, so that the others sleep deeply and long.
 *
 * All CPUs stand in one order, those of a cache side by side, and the first ones are open: only they are woken for tasks
 * and take tasks from the queue. The others are closed. How many are open follows from how busy all CPUs were lately:
 *
 *  - More are opened at once when the open ones are busier than load_percent, and when a task has waited for max_wait_us.
 *    The second rule is a timer's, started with the first task that waits and over when none does, so it holds whatever
 *    the CPUs are doing: no task waits longer than that beside a sleeping CPU that it may use.
 *  - One is closed when the others could have done all the work with ROOM_PERCENT to spare, for shrink_ms on end.
 *
 * There is one queue, in the order of arrival, so the bound on starvation is one turn. A closed CPU that is awake takes
 * only what is overdue out of it. Tasks that may run on no open CPU are overdue from the start: they do not wait for one to
 * be opened, and they come first by max_wait_us.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/parking.bpf.h>
#include <schedcp/stats.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, slice_us, 10000);
TUNABLE(u32, max_wait_us, 5000);
TUNABLE(u32, load_percent, 80);
TUNABLE(u32, shrink_ms, 500);

#define QUEUE 0

#define CLOCK_MONOTONIC 1
#define EBUSY 16

#define LOAD_MIN 30
#define LOAD_MAX 95
#define WAIT_MIN_NS (500 * NSEC_PER_USEC)
#define WAIT_MAX_NS NSEC_PER_SEC
#define SHRINK_MAX_MS 60000
#define OVERDUE_MAX 32 /* tasks that one look of the timer wakes CPUs for */

/* Tasks that the timer found waiting for max_wait_us or longer. */
#define COUNT_OVERDUE COUNT_PARKING_END

struct watch {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct watch);
} watches SEC(".maps");

static u32 is_armed;

bool scx_bpf_test_and_clear_cpu_idle(s32 cpu) __ksym;

static u64 clamped(u64 value, u64 least, u64 most)
{
	return value < least ? least : value > most ? most : value;
}

static u64 max_wait(void)
{
	return clamped(max_wait_us * NSEC_PER_USEC, WAIT_MIN_NS, WAIT_MAX_NS);
}

static u64 slice_ns(void)
{
	return slice_among(slice_us * NSEC_PER_USEC, scx_bpf_dsq_nr_queued(QUEUE));
}

/* An idle open CPU for the task, now claimed; else a negative number, with an open one that it may use, if any. */
static s32 pick_open(const struct task_struct *p, s32 *usable)
{
	u32 rank;

	*usable = -1;
	bpf_for(rank, 0, horizon) {
		s32 cpu = place_at(rank)->cpu;
		s32 may = place_at(cpu)->online && bpf_cpumask_test_cpu(cpu, p->cpus_ptr);

		/* Arithmetic and no branch: a path more in each round is too many paths for a verifier. */
		*usable += (cpu - *usable) * may;
		if (may && scx_bpf_test_and_clear_cpu_idle(cpu))
			return cpu;
	}
	return -1;
}

static void wake(s32 cpu)
{
	if (cpu >= 0 && (u32)cpu < nr_cpus()) {
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		count(COUNT_KICKED);
	}
}

/* Tasks that wait too long: opens a CPU for each, and wakes one that the task may use, open or not. */
static int look_at_waiting(void *map, u32 *key, struct watch *watch)
{
	u64 now = bpf_ktime_get_ns(), wait = max_wait();
	u32 seen = 0, wanted = nr_open;
	struct task_struct *p;

	is_armed = 0;
	bpf_for_each(scx_dsq, p, QUEUE, 0) {
		if (before(now, p->scx.dsq_vtime + wait) || ++seen > OVERDUE_MAX)
			break;
		/* Not for a task that could not use the next CPU: those are bound, and one CPU more is no help. */
		wanted += bpf_cpumask_test_cpu(place_at(horizon)->cpu, p->cpus_ptr);
		if (wake_idle_cpu_for(p))
			count(COUNT_KICKED);
		count(COUNT_OVERDUE);
	}
	if (wanted > nr_open && nr_open < nr_online) {
		resize(wanted);
		count(COUNT_GROWN);
		roomy_since = clock_now();
	}
	if (scx_bpf_dsq_nr_queued(QUEUE) > 0 && __sync_val_compare_and_swap(&is_armed, 0, 1) == 0 &&
	    bpf_timer_start(&watch->timer, wait, 0))
		is_armed = 0;
	return 0;
}

static void arm(void)
{
	struct watch *watch = bpf_map_lookup_elem(&watches, &(u32){0});

	if (!watch || is_armed || __sync_val_compare_and_swap(&is_armed, 0, 1) != 0)
		return;
	/* Set here and not in init, so that verifiers take the callback for one that may not sleep. */
	if (bpf_timer_set_callback(&watch->timer, look_at_waiting) || bpf_timer_start(&watch->timer, max_wait(), 0))
		is_armed = 0;
}

s32 BPF_STRUCT_OPS(compact_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 usable = -1, cpu;

	if (nr_open >= nr_online) {
		cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	} else if (is_open(prev_cpu) && bpf_cpumask_test_cpu(prev_cpu, p->cpus_ptr) &&
		   scx_bpf_test_and_clear_cpu_idle(prev_cpu)) {
		cpu = prev_cpu;
		idle = true;
	} else {
		cpu = pick_open(p, &usable);
		idle = cpu >= 0;
		/* Not to a closed CPU, which the kernel would wake, unless the task can use no other. */
		if (!idle)
			cpu = usable >= 0 ? usable : prev_cpu;
	}
	if (idle) {
		dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

void BPF_STRUCT_OPS(compact_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 usable, cpu = pick_open(p, &usable);
	u64 place = bpf_ktime_get_ns();

	if (cpu < 0 && (enq_flags & SCX_ENQ_LAST)) {
		/* On a closed CPU, alone there, and no open one is free: it stays for another slice. */
		dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(), 0);
		count(COUNT_KEPT);
		return;
	}
	count(COUNT_ENQUEUED);
	if (usable < 0) {
		dsq_insert_ordered(p, QUEUE, slice_ns(), place - max_wait(), enq_flags);
		if (wake_idle_cpu_for(p))
			count(COUNT_KICKED);
		return;
	}
	dsq_insert_ordered(p, QUEUE, slice_ns(), place, enq_flags);
	if (cpu >= 0)
		wake(cpu);
	else
		arm();
}

/* Is there a task that this CPU may run and, where it is closed, should run? */
static bool has_work(s32 cpu, bool open)
{
	u64 place;

	return first_waiting(QUEUE, cpu, &place) && (open || !before(bpf_ktime_get_ns(), place + max_wait()));
}

void BPF_STRUCT_OPS(compact_dispatch, s32 cpu, struct task_struct *prev)
{
	bool open = is_open(cpu);

	if (has_work(cpu, open) && dsq_move_to_local(QUEUE, SCX_ENQ_IMMED)) {
		count(COUNT_DISPATCHED);
	} else if (!can_continue(prev, cpu)) {
		count(COUNT_IDLE);
	} else if (open) {
		task_set_slice(prev, slice_ns());
		count(COUNT_KEPT);
	}
	/* Else the task has no slice, and the kernel gives it to enqueue (SCX_OPS_ENQ_LAST), which looks for an open CPU. */
}

void BPF_STRUCT_OPS(compact_running, struct task_struct *p)
{
	place_at(scx_bpf_task_cpu(p))->since = clock_now();
}

void BPF_STRUCT_OPS(compact_tick, struct task_struct *p)
{
	u64 now = clock_now();

	account(scx_bpf_task_cpu(p), now);
	look_at_load(now, clamped(load_percent, LOAD_MIN, LOAD_MAX), clamped(shrink_ms, 0, SHRINK_MAX_MS) * NSEC_PER_MSEC);
}

void BPF_STRUCT_OPS(compact_stopping, struct task_struct *p, bool runnable)
{
	s32 cpu = scx_bpf_task_cpu(p);

	account(cpu, clock_now());
	place_at(cpu)->since = 0;
}

void BPF_STRUCT_OPS(compact_cpu_online, s32 cpu)
{
	parking_online(cpu);
}

/* One queue for all CPUs: nothing is left behind by a CPU that goes. */
void BPF_STRUCT_OPS(compact_cpu_offline, s32 cpu)
{
	parking_offline(cpu);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(compact_init)
{
	struct watch *watch = bpf_map_lookup_elem(&watches, &(u32){0});
	s32 error;

	parking_start();
	is_armed = 0;
	error = scx_bpf_create_dsq(QUEUE, -1);
	if (error || !watch)
		return error ?: -ENOMEM;
	error = bpf_timer_init(&watch->timer, &watches, CLOCK_MONOTONIC);
	return error == -EBUSY ? 0 : error;
}

void BPF_STRUCT_OPS(compact_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(compact_ops,
	  .select_cpu = (void *)compact_select_cpu,
	  .enqueue = (void *)compact_enqueue,
	  .dispatch = (void *)compact_dispatch,
	  .running = (void *)compact_running,
	  .tick = (void *)compact_tick,
	  .stopping = (void *)compact_stopping,
	  .cpu_online = (void *)compact_cpu_online,
	  .cpu_offline = (void *)compact_cpu_offline,
	  .init = (void *)compact_init,
	  .exit = (void *)compact_exit,
	  .flags = SCX_OPS_ENQ_LAST,
	  .timeout_ms = 30000,
	  .name = "compact");
