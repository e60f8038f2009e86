// SPDX-License-Identifier: GPL-2.0-only
/*
 * latency: the time from a wakeup to the CPU comes first, for tasks that use the CPU in short bursts.
 *
 * The order is that of virtual deadlines: a task's virtual time (CPU time divided by weight, as in vtime) plus a slack that
 * depends on how the task behaves. Its bursts are what counts: the CPU time from a wakeup to the next voluntary sleep. Short
 * ones have no slack, long ones the whole of it, each doubling the same part. Two things are added to that:
 *
 *  - Wake chains. A task that wakes others every few microseconds is a link of a chain, however seldom it sleeps: the CPU
 *    time between its wakeups of others counts as its burst, where it is shorter. And a task that is woken by one of
 *    shorter bursts is hurried along half the way. Interrupts wake in the name of whoever they interrupt, so that a chain
 *    lifts nobody by more than CHAIN_OCTAVES: a task that computes all the time stays one.
 *  - Pre-emption. When a task of short bursts wakes up and no CPU is idle, one of two CPUs is interrupted, that whose task
 *    has the later deadline, if it is clearly later. A CPU is then left alone for preempt_gap_us.
 *
 * A slack is the same at each turn, so it moves a task's turns and does not change its share. The bounds are those of a
 * virtual clock (vclock.bpf.h) with the largest slack added to the debt: after CLOCK_SHARE * (DEBT_MAX_NS + slack + lag) of
 * waiting every newcomer queues behind the waiter.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/octaves.bpf.h>
#include <schedcp/preempt.bpf.h>
#include <schedcp/stats.bpf.h>
#include <schedcp/vclock.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, slice_us, 4000);
TUNABLE(u32, slack_us, 20000);
TUNABLE(u32, preempt_gap_us, 1000);

#define QUEUE 0
#define CLOCK_SHARE 50
#define DEBT_MAX_NS (150 * NSEC_PER_MSEC)
#define LAG_NS (10 * NSEC_PER_MSEC)
#define SLACK_MAX_NS (50 * NSEC_PER_MSEC)

/* Bursts are told apart from 2^16 ns (66 us) to 2^24 ns (17 ms). */
#define SCALE_FIRST 16
#define SCALE_OCTAVES 8
#define CHAIN_OCTAVES 3
#define BURST_WEIGHT 4 /* the latest burst is one part in four of the average */
#define NEW_BURST_NS NSEC_PER_MSEC /* what is assumed of a task that nothing is known of */
#define NEW_GAP_NS NSEC_PER_SEC

#define PREEMPT_MARGIN_NS (2 * NSEC_PER_MSEC)

enum {
	COUNT_LIFTED = COUNT_OWN, /* wakeups that were hurried along by their waker */
	COUNT_SPARED,             /* pre-emptions that did not happen, the CPU having been interrupted just before */
};

struct task_state {
	u64 counted;     /* CPU time of the task up to which it was charged or forgiven, in ns */
	u64 burst_began; /* CPU time of the task when it last woke up */
	u64 burst;       /* average of its bursts, in ns */
	u64 woke_at;     /* CPU time of the task when it last woke another */
	u64 wake_gap;    /* average of its CPU time between two of these */
	u64 queued_at;   /* 0: it did not pass the queue */
	u32 octaves;     /* its burst on the scale, in 1/OCTAVE of a doubling, less the lift */
	u32 lift;        /* what its waker takes off, until it sleeps again */
	bool charged;    /* it had to queue for its present run, so the run is charged */
	bool yielded;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

static struct vclock clock;

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static u64 slice_ns(void)
{
	return slice_among(slice_us * NSEC_PER_USEC, scx_bpf_dsq_nr_queued(QUEUE));
}

static u32 place_on_scale(u64 ns)
{
	u64 octaves = octaves_of(ns, SCALE_FIRST);

	return octaves < SCALE_OCTAVES * OCTAVE ? octaves : SCALE_OCTAVES * OCTAVE;
}

static u64 larger(u64 a, u64 b)
{
	return a < b ? b : a;
}

static u64 average(u64 old, u64 new)
{
	return old - old / BURST_WEIGHT + new / BURST_WEIGHT;
}

/* How urgent the task is by all that it did: a burst that is longer than usual already counts as it is. */
static void look_at(struct task_struct *p, struct task_state *state)
{
	u64 ran = p->se.sum_exec_runtime;
	u32 own = place_on_scale(larger(state->burst, ran - state->burst_began));
	u32 chain = place_on_scale(larger(state->wake_gap, ran - state->woke_at));
	u32 least = own > CHAIN_OCTAVES * OCTAVE ? own - CHAIN_OCTAVES * OCTAVE : 0;

	if (chain < least)
		chain = least;
	if (chain < own)
		own = chain;
	state->octaves = own > state->lift ? own - state->lift : 0;
}

static u64 deadline_of(const struct task_struct *p, const struct task_state *state)
{
	u64 slack = slack_us * NSEC_PER_USEC;

	if (slack > SLACK_MAX_NS)
		slack = SLACK_MAX_NS;
	return vclock_place(&clock, p->scx.dsq_vtime, LAG_NS, DEBT_MAX_NS) + slack * state->octaves / (SCALE_OCTAVES * OCTAVE);
}

/* Brings the task's virtual time up to date with what it has run, and the clock with the time that this took. */
static void settle(struct task_struct *p, struct task_state *state)
{
	u64 used = p->se.sum_exec_runtime - state->counted;

	vclock_push(&clock, clock_now(), CLOCK_SHARE);
	state->counted = p->se.sum_exec_runtime;
	if (state->charged)
		task_set_vtime(p, p->scx.dsq_vtime + virtual_time(used, p));
}

/* The waker is the task that runs here, or the one that an interrupt came upon, see CHAIN_OCTAVES. */
static void note_waker(struct task_state *wakee)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct task_state *waker = state_of(current);

	if (!waker)
		return;
	waker->wake_gap = average(waker->wake_gap, current->se.sum_exec_runtime - waker->woke_at);
	waker->woke_at = current->se.sum_exec_runtime;
	if (waker->octaves < wakee->octaves) {
		wakee->lift = (wakee->octaves - waker->octaves) / 2;
		count(COUNT_LIFTED);
	}
}

s32 BPF_STRUCT_OPS(latency_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_state *state = state_of(p);
	bool idle = false;
	s32 cpu;

	if (state)
		note_waker(state);
	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	if (idle) {
		if (state)
			state->charged = false;
		dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

void BPF_STRUCT_OPS(latency_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);
	u64 now = clock_now(), deadline = clock.now + DEBT_MAX_NS;

	if (state) {
		state->charged = true;
		state->queued_at = now;
		deadline = deadline_of(p, state);
	}
	if (wake_idle_cpu_for(p))
		count(COUNT_KICKED);
	else if (state && (enq_flags & SCX_ENQ_WAKEUP) && state->octaves < SCALE_OCTAVES * OCTAVE / 2)
		preempt_for(p, deadline, PREEMPT_MARGIN_NS, preempt_gap_us * NSEC_PER_USEC, now, COUNT_SPARED);
	dsq_insert_ordered(p, QUEUE, slice_ns(), deadline, enq_flags);
	count(COUNT_ENQUEUED);
}

void BPF_STRUCT_OPS(latency_dispatch, s32 cpu, struct task_struct *prev)
{
	bool goes_on = can_continue(prev, cpu), keeps = false;
	struct task_state *state = goes_on ? state_of(prev) : NULL;

	if (state) {
		settle(prev, state);
		keeps = keeps_turn(state, QUEUE, cpu, deadline_of(prev, state));
	}
	end_dispatch(!keeps && dsq_move_to_local(QUEUE, SCX_ENQ_IMMED), goes_on, prev, slice_ns());
}

/* Even a task that is behind gives way when it asks to, for one turn. */
bool BPF_STRUCT_OPS(latency_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_state *state = state_of(from);

	return give_way(from, to, state);
}

void BPF_STRUCT_OPS(latency_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	/* A change of nice or affinity also ends here, and is no new burst. */
	if (state && (enq_flags & SCX_ENQ_WAKEUP)) {
		state->burst_began = p->se.sum_exec_runtime;
		look_at(p, state);
	}
}

void BPF_STRUCT_OPS(latency_running, struct task_struct *p)
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
	if (state->charged)
		vclock_won(&clock, p->scx.dsq_vtime);
	view->deadline = deadline_of(p, state);
	view->busy = true;
}

void BPF_STRUCT_OPS(latency_tick, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (state) {
		settle(p, state);
		look_at(p, state);
		cpu_view_of(p)->deadline = deadline_of(p, state);
	}
}

void BPF_STRUCT_OPS(latency_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *state = state_of(p);

	cpu_view_of(p)->busy = false;
	if (state) {
		settle(p, state);
		look_at(p, state);
	}
}

void BPF_STRUCT_OPS(latency_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct task_state *state = state_of(p);

	if (!state || !(deq_flags & SCX_DEQ_SLEEP))
		return;
	state->burst = average(state->burst, p->se.sum_exec_runtime - state->burst_began);
	state->octaves += state->lift;
	state->lift = 0;
}

void BPF_STRUCT_OPS(latency_enable, struct task_struct *p)
{
	task_set_vtime(p, clock.now);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(latency_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *state = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	u64 ran = p->se.sum_exec_runtime;

	if (!state)
		return -ENOMEM;
	state->burst_began = ran;
	state->woke_at = ran;
	state->burst = NEW_BURST_NS;
	state->wake_gap = NEW_GAP_NS;
	return 0;
}

/* One queue for all CPUs: nothing is left behind by a CPU that goes. The operations exist so that the scheduler stays. */
void BPF_STRUCT_OPS(latency_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(latency_cpu_offline, s32 cpu)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(latency_init)
{
	vclock_start(&clock);
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(latency_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(latency_ops,
	  .select_cpu = (void *)latency_select_cpu,
	  .enqueue = (void *)latency_enqueue,
	  .dispatch = (void *)latency_dispatch,
	  .tick = (void *)latency_tick,
	  .runnable = (void *)latency_runnable,
	  .running = (void *)latency_running,
	  .stopping = (void *)latency_stopping,
	  .quiescent = (void *)latency_quiescent,
	  .yield = (void *)latency_yield,
	  .enable = (void *)latency_enable,
	  .init_task = (void *)latency_init_task,
	  .cpu_online = (void *)latency_cpu_online,
	  .cpu_offline = (void *)latency_cpu_offline,
	  .init = (void *)latency_init,
	  .exit = (void *)latency_exit,
	  .timeout_ms = 30000,
	  .name = "latency");
