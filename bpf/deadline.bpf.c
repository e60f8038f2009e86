// SPDX-License-Identifier: GPL-2.0-only
/*
 * deadline: earliest deadline first for tasks whose period is known, and a guaranteed share for all others.
 *
 * A hint, by process name or cgroup, says within what time such a task has to be done after it woke up: its period. From
 * then on it has a deadline (the wakeup + the period) and a budget (budget_percent of the period, in CPU time). Tasks with
 * a hint wait in the order of their deadlines and may interrupt what can wait longer, also when they were interrupted
 * themselves; all others share what is left by weight, as in vtime. Nobody admits tasks here, so overload is met like this:
 *
 *  - A task that has used up its budget gets that of the next period at once, and with it the next period's deadline, so
 *    that it goes behind those who are in time. Once it has borrowed so, it comes after all others until that deadline has
 *    passed: a wrong hint, or one for a task that computes without a pause, takes no more than budget_percent of a CPU.
 *  - A task that is still not done at its deadline gets a new one, a period later: it has missed this one anyway, and
 *    those who can still be in time go first. A key is the deadline, and OUT_NS later for a task without budget; so it is at
 *    most two periods and OUT_NS, 8 s, after the moment of its insertion, and never before it.
 *  - The others are served first, in spite of all deadlines, whenever the CPU owes them time: rest_percent of it, or one
 *    thousandth for each that waits if that is more, but at most half. So a turn of them takes 4 s, and 8 s in a crowd; and
 *    their virtual clock (vclock.bpf.h) lets every newcomer queue behind after CLOCK_SHARE * (DEBT_MAX_NS + LAG_NS).
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/flat.bpf.h>
#include <schedcp/hints.bpf.h>
#include <schedcp/preempt.bpf.h>
#include <schedcp/stats.bpf.h>
#include <schedcp/vclock.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, slice_us, 4000);
TUNABLE(u32, budget_percent, 50);
TUNABLE(u32, rest_percent, 5);

#define URGENT 0
#define REST 1
#define PERIOD_MIN_NS NSEC_PER_MSEC
#define PERIOD_MAX_NS (2 * NSEC_PER_SEC)
#define OUT_NS (2 * PERIOD_MAX_NS) /* more than any deadline of a task with a budget is away */
#define CLOCK_SHARE 50
#define DEBT_MAX_NS (100 * NSEC_PER_MSEC)
#define LAG_NS (10 * NSEC_PER_MSEC)
#define OWED_MAX_NS (20 * NSEC_PER_MSEC)
#define REST_MOST_PERMILLE 500
#define PREEMPT_GAP_NS (500 * NSEC_PER_USEC)
#define NO_DEADLINE_NS (NSEC_PER_SEC << 24) /* later than all, and near enough to compare */

enum {
	COUNT_OVERRUN = COUNT_OWN, /* budgets that were used up before the deadline */
	COUNT_LATE,                /* deadlines at which the task was not done */
	COUNT_SPARED,              /* pre-emptions that did not happen, the CPU having been interrupted just before */
};

struct task_state {
	u64 period;   /* from its wakeup to its deadline, in ns; 0: none is known */
	u64 deadline; /* of the present period */
	u64 budget;   /* CPU time left until then, in ns */
	u64 counted;  /* CPU time of the task up to which it was charged or forgiven, in ns */
	u64 queued_at; /* 0: it did not pass a queue */
	struct hint hint;
	bool charged; /* it had to queue among the others for its present run, so its virtual time grows */
	bool yielded;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

/* What each CPU owes to tasks without a deadline: time, in ns, less than 0 when they had more than their share. */
struct due {
	s64 owed;
	u64 reckoned_at;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct due);
} dues SEC(".maps");

static struct vclock clock; /* of the others */

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static u64 slice_of(const struct task_state *state, s32 queued)
{
	s64 slice = slice_us * NSEC_PER_USEC, budget = state ? state->budget : 0;

	slice = flat_choice(-budget, flat_least(slice, budget), slice);
	return slice_among(slice, queued);
}

static u64 place_of(const struct task_struct *p)
{
	return vclock_place(&clock, p->scx.dsq_vtime, LAG_NS, DEBT_MAX_NS);
}

static u64 budget_of(const struct task_state *state)
{
	return state->period / 100 * flat_within(budget_percent, 1, 100);
}

static void begin_period(struct task_state *state, u64 now)
{
	state->deadline = now + state->period;
	state->budget = budget_of(state);
}

/* The place among tasks with a hint: those with a budget by their deadlines, and OUT_NS later the others by when they get one. */
static u64 key_of(const struct task_state *state, u64 now)
{
	return flat_most(state->deadline + (OUT_NS & ~flat_differ(state->budget, 0)), now);
}

/* Looks for the task's hint and begins a new period where the old one is over. */
static void look_at(struct task_struct *p, struct task_state *state, bool woke)
{
	u64 now = clock_now(), hint = expected_time(p, &state->hint, now);

	if (hint == NO_HINT || !hint) {
		state->period = 0;
		state->budget = 0;
		return;
	}
	if (!state->period)
		woke = true;
	state->period = flat_within(hint, PERIOD_MIN_NS, PERIOD_MAX_NS);
	/* A periodic task wakes up a little before its last deadline when the wakeup before was late: that is the next period. */
	if (before(now + (woke ? state->period / 8 : 0), state->deadline)) {
		/* Woken early, it may go on with what is left, but not take the whole of it just before the end. */
		if (woke && state->budget * 100 > (state->deadline - now) * flat_within(budget_percent, 1, 100))
			begin_period(state, now);
		return;
	}
	if (!woke)
		count(COUNT_LATE);
	begin_period(state, now);
}

/* Brings this CPU's debt to the others up to date: `used` ns of it were theirs since the last time. */
static void reckon(u64 now, u64 used)
{
	struct due *due = bpf_map_lookup_elem(&dues, &(u32){0});
	u64 permille = flat_within(scx_bpf_dsq_nr_queued(REST), flat_within(rest_percent, 1, 50) * 10, REST_MOST_PERMILLE);
	s64 owed;

	if (!due)
		return;
	owed = due->owed + flat_within(now - due->reckoned_at, 0, NSEC_PER_SEC) * permille / 1000 - used;
	due->owed = owed < -(s64)OWED_MAX_NS ? -(s64)OWED_MAX_NS : owed > (s64)OWED_MAX_NS ? (s64)OWED_MAX_NS : owed;
	due->reckoned_at = now;
}

/* The budget is used up: a task whose deadline is within a period from now borrows from the next one. */
static void overrun(struct task_state *state, u64 now)
{
	u64 may_borrow = flat_negative(state->deadline - now - state->period);

	state->deadline += state->period & may_borrow;
	state->budget = budget_of(state) & may_borrow;
	count(COUNT_OVERRUN);
}

/* Takes what the task has run since the last time from its budget, or adds it to its virtual time. */
static void settle(struct task_struct *p, struct task_state *state)
{
	u64 used = p->se.sum_exec_runtime - state->counted, now = clock_now();

	state->counted = p->se.sum_exec_runtime;
	vclock_push(&clock, now, CLOCK_SHARE);
	reckon(now, state->period ? 0 : used);
	if (!state->period) {
		if (state->charged)
			task_set_vtime(p, p->scx.dsq_vtime + virtual_time(used, p));
	} else if (used < state->budget) {
		state->budget -= used;
	} else if (state->budget) {
		overrun(state, now);
	}
}

s32 BPF_STRUCT_OPS(deadline_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_state *state;
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle) {
		state = state_of(p);
		if (state)
			state->charged = false;
		dsq_insert(p, SCX_DSQ_LOCAL, slice_of(state, 0), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

void BPF_STRUCT_OPS(deadline_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	if (state)
		look_at(p, state, enq_flags & SCX_ENQ_WAKEUP);
}

void BPF_STRUCT_OPS(deadline_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);
	u64 now = clock_now();

	count(COUNT_ENQUEUED);
	if (state)
		state->queued_at = now;
	if (wake_idle_cpu_for(p))
		count(COUNT_KICKED);
	else if (state && state->budget)
		preempt_for(p, state->deadline, 0, PREEMPT_GAP_NS, now, COUNT_SPARED);
	if (state && state->period) {
		dsq_insert_ordered(p, URGENT, slice_of(state, scx_bpf_dsq_nr_queued(URGENT)), key_of(state, now), enq_flags);
		return;
	}
	if (state)
		state->charged = true;
	dsq_insert_ordered(p, REST, slice_of(NULL, scx_bpf_dsq_nr_queued(REST)), place_of(p), enq_flags);
}

/* Whose turn it is on this CPU: the others' when it owes them time, or when all tasks with a hint wait for a new budget. */
static u64 first_queue(u64 urgent, u64 now)
{
	struct due *due = bpf_map_lookup_elem(&dues, &(u32){0});
	s64 owed = due ? due->owed : 0;

	return URGENT + (REST & (flat_negative(-owed) | flat_negative(now + OUT_NS - urgent)));
}

void BPF_STRUCT_OPS(deadline_dispatch, s32 cpu, struct task_struct *prev)
{
	bool goes_on = can_continue(prev, cpu), keeps = false, moved;
	struct task_state *state = goes_on ? state_of(prev) : NULL;
	u64 now = clock_now(), urgent = now + 2 * OUT_NS, own = REST, first;

	first_waiting(URGENT, cpu, &urgent);
	if (state && state->period) {
		own = URGENT;
		keeps = !state->yielded && before(key_of(state, now), urgent);
		urgent = keeps ? key_of(state, now) : urgent;
	} else if (state) {
		keeps = keeps_turn(state, REST, cpu, place_of(prev));
	}
	first = first_queue(urgent, now);
	moved = !(keeps && own == first) && dsq_move_to_local(first, SCX_ENQ_IMMED);
	if (!moved && !keeps)
		moved = dsq_move_to_local(URGENT + REST - first, SCX_ENQ_IMMED);
	end_dispatch(moved, goes_on, prev, slice_of(state, 0));
}

/* A task that yields is done for this period, or gives way to its like for one turn. */
bool BPF_STRUCT_OPS(deadline_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_state *state = state_of(from);

	if (!to) {
		if (state) {
			state->budget = 0;
			state->yielded = true;
		}
		task_set_slice(from, 0);
		count(COUNT_YIELDED);
	}
	return false;
}

void BPF_STRUCT_OPS(deadline_running, struct task_struct *p)
{
	struct cpu_view *view = cpu_view_of(p);
	struct task_state *state = state_of(p);
	u64 now = clock_now();

	if (!state)
		return;
	state->counted = p->se.sum_exec_runtime;
	state->yielded = false;
	if (state->queued_at)
		count_more(COUNT_WAITED_NS, now - state->queued_at);
	state->queued_at = 0;
	/* Only a task that won against others tells the time: one that found an idle CPU may be far ahead. */
	if (!state->period && state->charged)
		vclock_won(&clock, p->scx.dsq_vtime);
	/* It has waited for its next budget. */
	if (state->period && !state->budget && !before(now, state->deadline))
		begin_period(state, now);
	view->deadline = state->budget ? state->deadline : now + NO_DEADLINE_NS;
	view->busy = true;
}

void BPF_STRUCT_OPS(deadline_tick, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (state) {
		settle(p, state);
		look_at(p, state, false);
		cpu_view_of(p)->deadline = state->budget ? state->deadline : clock_now() + NO_DEADLINE_NS;
	}
}

void BPF_STRUCT_OPS(deadline_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *state = state_of(p);

	cpu_view_of(p)->busy = false;
	if (!state)
		return;
	settle(p, state);
	if (!runnable && state->period && before(state->deadline, clock_now()))
		count(COUNT_LATE);
}

void BPF_STRUCT_OPS(deadline_enable, struct task_struct *p)
{
	task_set_vtime(p, clock.now);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(deadline_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *state = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		return -ENOMEM;
	state->hint.expected = NO_HINT;
	return 0;
}

/* The queues are for all CPUs: nothing is left behind by one that goes. The operations exist so that the scheduler stays. */
void BPF_STRUCT_OPS(deadline_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(deadline_cpu_offline, s32 cpu)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(deadline_init)
{
	s32 error = scx_bpf_create_dsq(URGENT, -1);

	vclock_start(&clock);
	return error ?: scx_bpf_create_dsq(REST, -1);
}

void BPF_STRUCT_OPS(deadline_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(deadline_ops,
	  .select_cpu = (void *)deadline_select_cpu,
	  .enqueue = (void *)deadline_enqueue,
	  .dispatch = (void *)deadline_dispatch,
	  .tick = (void *)deadline_tick,
	  .runnable = (void *)deadline_runnable,
	  .running = (void *)deadline_running,
	  .stopping = (void *)deadline_stopping,
	  .yield = (void *)deadline_yield,
	  .enable = (void *)deadline_enable,
	  .init_task = (void *)deadline_init_task,
	  .cpu_online = (void *)deadline_cpu_online,
	  .cpu_offline = (void *)deadline_cpu_offline,
	  .init = (void *)deadline_init,
	  .exit = (void *)deadline_exit,
	  .timeout_ms = 30000,
	  .name = "deadline");
