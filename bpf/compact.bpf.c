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
#include <schedcp/stats.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, slice_us, 10000);
TUNABLE(u32, max_wait_us, 5000);
TUNABLE(u32, load_percent, 80);
TUNABLE(u32, shrink_ms, 500);

#define QUEUE 0

#define CLOCK_MONOTONIC 1
#define EBUSY 16

#define WINDOW_NS (20 * NSEC_PER_MSEC)
#define STALE_WINDOWS 8
#define UTIL_ONE 1024 /* one CPU that is always busy */
#define UTIL_WEIGHT 4 /* the latest window is one part in four of the average */
#define ROOM_PERCENT 20
#define LOAD_MIN 30
#define LOAD_MAX 95
#define WAIT_MIN_NS (500 * NSEC_PER_USEC)
#define WAIT_MAX_NS NSEC_PER_SEC
#define SHRINK_MAX_MS 60000
#define OVERDUE_MAX 32 /* tasks that one look of the timer wakes CPUs for */

enum {
	COUNT_GROWN = COUNT_OWN, /* times that CPUs were opened */
	COUNT_SHRUNK,            /* times that one was closed */
	COUNT_OVERDUE,           /* tasks that the timer found waiting for max_wait_us or longer */
};

struct place {
	u32 cpu;  /* the CPU at this place of the order */
	u32 rank; /* the place of the CPU of this number */
	u32 llc;
	bool online;
	u64 since; /* when this CPU began to run the task it runs, or was last asked; 0: it runs none */
};

static struct place places[SCHEDCP_MAX_CPUS];
static u32 first_rank[SCHEDCP_MAX_LLCS]; /* of each cache's CPUs, while they are put in order */
static u32 nr_places;
static u32 horizon; /* CPUs whose rank is below it are open */
static u32 nr_open;
static u32 nr_online;

static u64 window_start;
static u64 busy; /* CPU time since then, of all CPUs, in ns */
static u64 util;
static u64 roomy_since; /* since then one CPU fewer would do */

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

static struct place *place_at(u32 index)
{
	/* See llc_slot. */
	barrier_var(index);
	return &places[index & (SCHEDCP_MAX_CPUS - 1)];
}

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

static bool is_open(s32 cpu)
{
	return place_at(cpu)->rank < horizon;
}

/* How many CPUs are open */

/*
 * Opens the first `wanted` online CPUs of the order, at least one. Two that do this at once may leave a number that
 * neither wanted; the next window puts it right, and tasks that find no open CPU are overdue meanwhile.
 */
static void resize(u32 wanted)
{
	u32 seen = 0, end = 0, rank;

	bpf_for(rank, 0, nr_places) {
		end = rank + 1;
		seen += place_at(place_at(rank)->cpu)->online;
		if (seen >= wanted)
			break;
	}
	horizon = end;
	nr_open = seen;
}

static void decide(u64 now)
{
	u64 percent = clamped(load_percent, LOAD_MIN, LOAD_MAX), load = util * 100, open = nr_open;
	u64 shrink = clamped(shrink_ms, 0, SHRINK_MAX_MS) * NSEC_PER_MSEC;

	if (load > open * UTIL_ONE * percent && open < nr_online) {
		resize(load / (UTIL_ONE * percent) + 1);
		count(COUNT_GROWN);
		roomy_since = now;
	} else if (open <= 1 || load > (open - 1) * UTIL_ONE * (percent - ROOM_PERCENT)) {
		roomy_since = now;
	} else if (now - roomy_since >= shrink) {
		resize(open - 1);
		count(COUNT_SHRUNK);
		roomy_since = now;
	}
}

/* Adds what the CPU has run since it was last asked. */
static void account(s32 cpu, u64 now)
{
	u64 since = place_at(cpu)->since;

	if (since)
		__sync_fetch_and_add(&busy, now - since);
	place_at(cpu)->since = now;
}

/* Closes the window when it is over. At ticks only: where none comes while tasks run, there is little to decide. */
static void look_at_load(u64 now)
{
	u64 start = window_start, latest;

	if (before(now, start + WINDOW_NS) || __sync_val_compare_and_swap(&window_start, start, now) != start)
		return;
	latest = __sync_lock_test_and_set(&busy, 0) * UTIL_ONE / (now - start);
	if (now - start > STALE_WINDOWS * WINDOW_NS)
		util = latest;
	else
		util += latest / UTIL_WEIGHT - util / UTIL_WEIGHT;
	decide(now);
}

/* Tasks and CPUs */

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
	look_at_load(now);
}

void BPF_STRUCT_OPS(compact_stopping, struct task_struct *p, bool runnable)
{
	s32 cpu = scx_bpf_task_cpu(p);

	account(cpu, clock_now());
	place_at(cpu)->since = 0;
}

void BPF_STRUCT_OPS(compact_cpu_online, s32 cpu)
{
	place_at(cpu)->online = true;
	__sync_fetch_and_add(&nr_online, 1);
	resize(nr_open);
}

/* One queue for all CPUs: nothing is left behind by a CPU that goes. */
void BPF_STRUCT_OPS(compact_cpu_offline, s32 cpu)
{
	place_at(cpu)->online = false;
	place_at(cpu)->since = 0;
	__sync_fetch_and_sub(&nr_online, 1);
	resize(nr_open);
}

/* The order of the CPUs: by cache, then by number. */
static void put_in_order(void)
{
	u32 nr = nr_llcs(), llc, cpu;

	bpf_for(cpu, 0, nr_places)
		first_rank[llc_slot(place_at(cpu)->llc + 1)]++;
	first_rank[0] = 0;
	bpf_for(llc, 1, nr)
		first_rank[llc_slot(llc)] += first_rank[llc_slot(llc - 1)];
	bpf_for(cpu, 0, nr_places) {
		u32 rank = first_rank[llc_slot(place_at(cpu)->llc)]++;

		place_at(cpu)->rank = rank;
		place_at(rank)->cpu = cpu;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(compact_init)
{
	struct watch *watch = bpf_map_lookup_elem(&watches, &(u32){0});
	const struct cpumask *online = scx_bpf_get_online_cpumask();
	s32 error;
	u32 cpu;

	nr_places = nr_cpus();
	/* What an earlier attachment of the same load counted is void. CPUs cannot come or go during init. */
	nr_online = 0;
	bpf_for(cpu, 0, nr_places) {
		place_at(cpu)->online = bpf_cpumask_test_cpu(cpu, online);
		place_at(cpu)->since = 0;
		place_at(cpu)->llc = llc_of(cpu);
		first_rank[llc_slot(place_at(cpu)->llc + 1)] = 0;
		nr_online += place_at(cpu)->online;
	}
	scx_bpf_put_cpumask(online);
	put_in_order();
	window_start = clock_now();
	roomy_since = window_start;
	/* All of them: who comes from another scheduler comes with its load. */
	resize(nr_online);
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
