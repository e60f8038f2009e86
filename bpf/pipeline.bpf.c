// SPDX-License-Identifier: GPL-2.0-only
/*
 * pipeline: who is woken runs beside its waker, on the same CPU where the waker is about to sleep.
 *
 * In a chain of producers and consumers the data is in the waker's cache, and the waker is done for now. So the woken task
 * is handed the waker's CPU: it joins that CPU's queue, no idle CPU is woken, and it runs as soon as the waker sleeps. When
 * is the waker about to sleep? When the kernel says so (a synchronous wakeup), or when the waker always did so lately: the
 * time from a task's last wakeup of another to its own sleep is averaged. A waker that is said to sleep and does not is
 * believed no longer, and then a free CPU near it is the next best: of the same cache, counted from the waker on.
 *
 * Every CPU has a queue, first come, first served. What keeps that from starving anybody, and from leaving CPUs idle:
 *
 *  - A CPU with an empty queue takes from others, those of its own cache first. Only what was handed over is left alone, for
 *    handoff_us; a tick later at most an idle CPU is woken for what still waits.
 *  - Every FOREIGN_TURN-th time, but not more often than once in FOREIGN_GAP_NS, a CPU first serves the queues of CPUs that
 *    went away, then the next other one, then its own.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/flat.bpf.h>
#include <schedcp/stats.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, slice_us, 5000);
TUNABLE(u32, handoff_us, 100);

#define FOREIGN_TURN 8
#define FOREIGN_GAP_NS (20 * NSEC_PER_MSEC) /* chains whose turns are short are not to be torn apart all the time */
#define NEAR 8 /* CPUs beside the waker's that are looked at */
#define GAP_WEIGHT 4 /* the latest gap is one part in four of the average */
#define GAP_MAX_NS (10 * NSEC_PER_MSEC)
#define GAP_FIRST_NS (200 * NSEC_PER_USEC)
#define SYNC_TRUST 4 /* a synchronous wakeup is believed of wakers that take this many times longer to sleep */
#define HANDOFF_MAX_NS (5 * NSEC_PER_MSEC)

enum {
	COUNT_HANDED = COUNT_OWN, /* tasks that were handed their waker's CPU */
	COUNT_NEAR,               /* tasks that were put on an idle CPU near their waker */
	COUNT_OVERSTAYED,         /* ticks that found a task waiting, and an idle CPU that was woken for it */
};

struct task_state {
	u64 woke_at; /* when it last woke another, since it last slept; 0: not since */
	u64 gap;     /* average time from waking another to its own sleep, in ns */
	bool handed; /* select_cpu has chosen its waker's CPU */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

struct seat {
	u64 handed_until; /* until then others leave the CPU's queue alone, if one task is in it */
	u64 foreign_at;   /* its latest foreign turn */
	u32 turn;
	u32 next; /* the CPU whose queue is looked at first, where it is not its own */
	u32 llc;
	bool online;
	bool gone; /* offline, and was online under this scheduler */
};

static struct seat seats[SCHEDCP_MAX_CPUS];
static u32 nr_seats;
static u32 nr_orphans; /* CPUs that went offline */

bool scx_bpf_test_and_clear_cpu_idle(s32 cpu) __ksym;

static struct seat *seat_at(s32 cpu)
{
	/* See llc_slot. */
	barrier_var(cpu);
	return &seats[cpu & (SCHEDCP_MAX_CPUS - 1)];
}

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static u64 handoff_ns(void)
{
	u64 handoff = handoff_us * NSEC_PER_USEC;

	return handoff < HANDOFF_MAX_NS ? handoff : HANDOFF_MAX_NS;
}

static u64 slice_in(u32 queue)
{
	return slice_among(slice_us * NSEC_PER_USEC, scx_bpf_dsq_nr_queued(queue));
}

static u32 queue_of(struct task_struct *p)
{
	s32 cpu = scx_bpf_task_cpu(p);

	/* After a change of affinity the task may still be on a CPU that it must leave: queue it where it may run. */
	if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
		cpu = bpf_cpumask_first(p->cpus_ptr);
	return (u32)cpu % nr_seats;
}

/* The waker has woken another, or sleeps: how long was that after the wakeup before? */
static void note_gap(struct task_state *state, u64 now)
{
	u64 gap = now - state->woke_at;

	if (state->woke_at)
		state->gap += (gap < GAP_MAX_NS ? gap : GAP_MAX_NS) / GAP_WEIGHT - state->gap / GAP_WEIGHT;
}

/* Will the task that runs here and wakes another sleep soon? */
static bool waker_sleeps(u64 wake_flags)
{
	struct task_struct *waker = bpf_get_current_task_btf();
	struct task_state *state = state_of(waker);
	u64 now = bpf_ktime_get_ns(), limit = handoff_ns();

	/* Of other classes nobody knows when they sleep, nor does a tick tell that they did not. */
	if (!state || !(waker->scx.flags & SCX_TASK_QUEUED))
		return false;
	note_gap(state, now);
	state->woke_at = now;
	if (wake_flags & SCX_WAKE_SYNC)
		limit *= SYNC_TRUST;
	return state->gap < limit;
}

/* An idle CPU of the waker's cache, now claimed: the one that the task ran on, or one near the waker; else negative. */
static s32 pick_near(const struct task_struct *p, s32 prev_cpu, s32 here)
{
	u32 near = nr_seats < NEAR ? nr_seats : NEAR, i;

	if (seat_at(prev_cpu)->llc == seat_at(here)->llc && bpf_cpumask_test_cpu(prev_cpu, p->cpus_ptr) &&
	    scx_bpf_test_and_clear_cpu_idle(prev_cpu))
		return prev_cpu;
	bpf_for(i, 1, near) {
		s32 cpu = ((u32)here + i) % nr_seats;
		s32 fits = seat_at(cpu)->llc == seat_at(here)->llc;

		/* Arithmetic and no branch: a path more in each round is too many paths for a verifier. */
		fits *= seat_at(cpu)->online * bpf_cpumask_test_cpu(cpu, p->cpus_ptr);
		if (fits && scx_bpf_test_and_clear_cpu_idle(cpu))
			return cpu;
	}
	return -1;
}

s32 BPF_STRUCT_OPS(pipeline_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_state *state = state_of(p);
	u32 here = bpf_get_smp_processor_id() % nr_seats;
	bool stays = waker_sleeps(wake_flags) && state && bpf_cpumask_test_cpu(here, p->cpus_ptr), idle = false;
	s32 cpu;

	if (stays && scx_bpf_dsq_nr_queued(here) == 0) {
		state->handed = true;
		return here;
	}
	cpu = pick_near(p, prev_cpu, here);
	/* Behind others, but where its data is; enqueue wakes an idle CPU if there is one far away. */
	if (cpu < 0 && stays)
		return here;
	idle = cpu >= 0;
	if (idle)
		count(COUNT_NEAR);
	else /* What the kernel would do for a synchronous wakeup has been considered. */
		cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags & ~SCX_WAKE_SYNC, &idle);
	if (idle) {
		dsq_insert(p, SCX_DSQ_LOCAL, slice_in(cpu % nr_seats), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

/* Not already in select_cpu: the kernel may yet put the task elsewhere, where the waker's CPU is about to go offline. */
void BPF_STRUCT_OPS(pipeline_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);
	u32 queue = queue_of(p);

	dsq_insert(p, queue, slice_in(queue), enq_flags);
	count(COUNT_ENQUEUED);
	if (state && state->handed) {
		state->handed = false;
		seat_at(queue)->handed_until = bpf_ktime_get_ns() + handoff_ns();
		count(COUNT_HANDED);
	} else if (wake_idle_cpu_for(p)) {
		count(COUNT_KICKED);
	}
}

/*
 * One task of another CPU: of one that shares the cache, else of any. In a foreign turn of a CPU that is gone, whose queue
 * no task joins any more, else of whichever comes next.
 */
static bool take_from_others(u32 home, u32 is_turn, u64 now)
{
	u32 nr = nr_seats, first = seat_at(home)->next, llc = seat_at(home)->llc, i;

	bpf_for(i, is_turn && !nr_orphans ? nr : 0, 2 * nr) {
		u32 other = (first + i) % nr;
		struct seat *seat = seat_at(other);
		/* What was handed over just now is about to run where its data is. */
		u32 is_young = before(now, seat->handed_until) & (u32)(scx_bpf_dsq_nr_queued(other) < 2);
		u32 is_first = (is_turn & seat->gone) | ((is_turn ^ 1) & (seat->llc == llc));

		/* In place of one to leave alone, the empty queue. No branch: a way more in each round is too much to follow. */
		other += (nr - other) * (is_young | ((is_first | (i >= nr)) ^ 1));
		if (dsq_move_to_local(other, SCX_ENQ_IMMED)) {
			seat_at(home)->next = other + 1;
			return true;
		}
	}
	return false;
}

/* 1 where it is the turn of the other CPUs' queues, else 0. Without branches, for the loop over them depends on it. */
static u32 is_foreign_turn(struct seat *seat, u64 now)
{
	s64 is_turn = flat_negative(FOREIGN_TURN - 1 - (s64)++seat->turn);

	is_turn &= flat_negative(seat->foreign_at + FOREIGN_GAP_NS - now);
	seat->turn &= ~is_turn;
	seat->foreign_at = flat_choice(is_turn, now, seat->foreign_at);
	return is_turn & 1;
}

void BPF_STRUCT_OPS(pipeline_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 now = bpf_ktime_get_ns();
	u32 home = (u32)cpu % nr_seats, is_turn = is_foreign_turn(seat_at(home), now);
	bool goes_on = can_continue(prev, cpu);

	if (!is_turn && dsq_move_to_local(home, SCX_ENQ_IMMED)) {
		count(COUNT_DISPATCHED);
	} else if ((is_turn || !goes_on) && take_from_others(home, is_turn, now)) {
		count(COUNT_DISPATCHED);
		count(is_turn ? COUNT_AGED : COUNT_STOLEN);
	} else {
		end_dispatch(is_turn && dsq_move_to_local(home, SCX_ENQ_IMMED), goes_on, prev, slice_in(home));
	}
}

/* Somebody waits here although a CPU is idle: a waker that did not sleep, or a CPU that went idle since. */
void BPF_STRUCT_OPS(pipeline_tick, struct task_struct *p)
{
	s32 cpu = scx_bpf_task_cpu(p);
	struct task_struct *waiting;

	if (before(bpf_ktime_get_ns(), seat_at(cpu)->handed_until))
		return;
	bpf_for_each(scx_dsq, waiting, (u32)cpu % nr_seats, 0) {
		if (wake_idle_cpu_for(waiting)) {
			count(COUNT_KICKED);
			count(COUNT_OVERSTAYED);
		}
		break;
	}
}

void BPF_STRUCT_OPS(pipeline_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct task_state *state = state_of(p);

	if (!state || !(deq_flags & SCX_DEQ_SLEEP))
		return;
	note_gap(state, bpf_ktime_get_ns());
	state->woke_at = 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(pipeline_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *state = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		return -ENOMEM;
	state->gap = GAP_FIRST_NS;
	state->woke_at = 0;
	state->handed = false;
	return 0;
}

void BPF_STRUCT_OPS(pipeline_cpu_online, s32 cpu)
{
	struct seat *seat = seat_at(cpu);

	if (seat->gone)
		__sync_fetch_and_sub(&nr_orphans, 1);
	seat->online = true;
	seat->gone = false;
}

void BPF_STRUCT_OPS(pipeline_cpu_offline, s32 cpu)
{
	struct seat *seat = seat_at(cpu);

	seat->online = false;
	seat->gone = true;
	__sync_fetch_and_add(&nr_orphans, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(pipeline_init)
{
	const struct cpumask *online;
	u32 nr = nr_cpus(), cpu;

	/* One for each CPU, and one that stays empty. */
	bpf_for(cpu, 0, nr + 1) {
		s32 error = scx_bpf_create_dsq(cpu, -1);

		if (error)
			return error;
	}
	/* What an earlier attachment of the same load left is void. CPUs cannot come or go during init. */
	nr_seats = nr;
	nr_orphans = 0;
	online = scx_bpf_get_online_cpumask();
	bpf_for(cpu, 0, nr) {
		seat_at(cpu)->llc = llc_of(cpu);
		seat_at(cpu)->online = bpf_cpumask_test_cpu(cpu, online);
		seat_at(cpu)->next = cpu;
		seat_at(cpu)->gone = false;
	}
	scx_bpf_put_cpumask(online);
	return 0;
}

void BPF_STRUCT_OPS(pipeline_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(pipeline_ops,
	  .select_cpu = (void *)pipeline_select_cpu,
	  .enqueue = (void *)pipeline_enqueue,
	  .dispatch = (void *)pipeline_dispatch,
	  .tick = (void *)pipeline_tick,
	  .quiescent = (void *)pipeline_quiescent,
	  .init_task = (void *)pipeline_init_task,
	  .cpu_online = (void *)pipeline_cpu_online,
	  .cpu_offline = (void *)pipeline_cpu_offline,
	  .init = (void *)pipeline_init,
	  .exit = (void *)pipeline_exit,
	  .timeout_ms = 30000,
	  .name = "pipeline");
