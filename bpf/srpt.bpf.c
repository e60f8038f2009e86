// SPDX-License-Identifier: GPL-2.0-only
/*
 * srpt: the task that is expected to need least CPU time from here on goes first.
 *
 * That order has the least mean response time of all. What a task still needs is said by a hint (the CPU time of a process
 * name or a cgroup, less what the task has used) or guessed from its own past: the exponential average of its bursts, a
 * burst being the CPU time between waking up and going to sleep, less what it has used of the present one. A task that is
 * past what was expected is expected to need as much again as it has used, the best guess when a few tasks need very long.
 *
 * A task's place in the queue is (when it was queued) + delay, the smallest first. The delay grows with the logarithm of
 * the remaining time: the same for each doubling, max_wait in all. So tasks that were queued together run in the right
 * order whether they need microseconds or hours, and yet a task is overtaken only by tasks that are queued less than
 * max_wait after it: the bound on starvation.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/hints.bpf.h>
#include <schedcp/octaves.bpf.h>
#include <schedcp/stats.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, slice_us, 5000);
TUNABLE(u32, max_wait_ms, 9000);

#define QUEUE 0
#define WAIT_MAX_NS (15 * NSEC_PER_SEC)
/* Delays differ from 2^15 ns (33 us) to 2^45 ns (10 h) of remaining time. */
#define SCALE_FIRST 15
#define SCALE_OCTAVES 30
/* A guess says nothing about the far future: beyond this, tasks without a hint are equals and take turns. */
#define GUESS_MAX_NS (4 * NSEC_PER_SEC)
#define BURST_WEIGHT 4 /* the latest burst is one part in four of the average */

enum {
	COUNT_HINTED = COUNT_OWN, /* tasks queued by a hint */
	COUNT_PAST,               /* tasks queued that had used more than was expected of them */
};

struct task_state {
	u64 burst_began; /* CPU time of the task when it last woke up, in ns */
	u64 burst;       /* average of its bursts, in ns; 0 before the first one ended */
	u64 octaves;     /* what it still needs, on the scale */
	u64 queued_at;   /* 0: it did not pass the queue */
	struct hint hint;
	bool hinted;
	bool past; /* it has used more than was expected */
	bool yielded;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static u64 max_wait(void)
{
	u64 wait = max_wait_ms * NSEC_PER_MSEC;

	return wait < WAIT_MAX_NS ? wait : WAIT_MAX_NS;
}

static u64 slice_ns(void)
{
	return slice_among(slice_us * NSEC_PER_USEC, scx_bpf_dsq_nr_queued(QUEUE));
}

static u64 remaining_of(struct task_struct *p, struct task_state *state)
{
	u64 used = p->se.sum_exec_runtime, expected = expected_time(p, &state->hint, clock_now()), remaining;

	state->hinted = expected != NO_HINT;
	if (!state->hinted) {
		used -= state->burst_began;
		expected = state->burst;
	}
	state->past = used > expected;
	remaining = state->past ? used : expected - used;
	return state->hinted || remaining < GUESS_MAX_NS ? remaining : GUESS_MAX_NS;
}

/* Here and not where tasks are compared: the hint's search is the costly part, and a tick's delay is soon enough. */
static void look_at(struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (state)
		state->octaves = octaves_of(remaining_of(p, state), SCALE_FIRST);
}

static u64 place_of(const struct task_state *state, u64 now)
{
	u64 octaves = state->octaves < SCALE_OCTAVES * OCTAVE ? state->octaves : SCALE_OCTAVES * OCTAVE;

	return now + max_wait() * octaves / (SCALE_OCTAVES * OCTAVE);
}

s32 BPF_STRUCT_OPS(srpt_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle) {
		dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

void BPF_STRUCT_OPS(srpt_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	/* A change of nice or affinity also ends here, and is no new burst. */
	if (state && (enq_flags & SCX_ENQ_WAKEUP))
		state->burst_began = p->se.sum_exec_runtime;
	look_at(p);
}

void BPF_STRUCT_OPS(srpt_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);
	u64 now = clock_now(), place = now + max_wait();

	if (state) {
		/* A task that yielded goes behind all that are queued now, this once. */
		if (!state->yielded)
			place = place_of(state, now);
		state->queued_at = now;
		count_more(COUNT_HINTED, state->hinted);
		count_more(COUNT_PAST, state->past);
	}
	dsq_insert_ordered(p, QUEUE, slice_ns(), place, enq_flags);
	count(COUNT_ENQUEUED);
	if (wake_idle_cpu_for(p))
		count(COUNT_KICKED);
}

/* At the end of a slice: does the task that has just run still need least? */
static bool stays_first(struct task_struct *prev, s32 cpu)
{
	struct task_state *state = state_of(prev);
	u64 first;

	if (!state || state->yielded)
		return false;
	return !first_waiting(QUEUE, cpu, &first) || !before(first, place_of(state, clock_now()));
}

void BPF_STRUCT_OPS(srpt_dispatch, s32 cpu, struct task_struct *prev)
{
	bool goes_on = can_continue(prev, cpu), keeps = goes_on && stays_first(prev, cpu);

	end_dispatch(!keeps && dsq_move_to_local(QUEUE, SCX_ENQ_IMMED), goes_on, prev, slice_ns());
}

bool BPF_STRUCT_OPS(srpt_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_state *state = state_of(from);

	return give_way(from, to, state);
}

void BPF_STRUCT_OPS(srpt_running, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (!state)
		return;
	state->yielded = false;
	if (state->queued_at)
		count_more(COUNT_WAITED_NS, clock_now() - state->queued_at);
	state->queued_at = 0;
}

void BPF_STRUCT_OPS(srpt_tick, struct task_struct *p)
{
	look_at(p);
}

void BPF_STRUCT_OPS(srpt_stopping, struct task_struct *p, bool runnable)
{
	look_at(p);
}

void BPF_STRUCT_OPS(srpt_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct task_state *state = state_of(p);
	u64 burst;

	if (!state || !(deq_flags & SCX_DEQ_SLEEP))
		return;
	burst = p->se.sum_exec_runtime - state->burst_began;
	state->burst += burst / BURST_WEIGHT - state->burst / BURST_WEIGHT;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(srpt_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *state = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		return -ENOMEM;
	state->hint.expected = NO_HINT;
	/* Tasks that were there before the scheduler begin as new ones do: with nothing used and nothing known. */
	state->burst_began = p->se.sum_exec_runtime;
	return 0;
}

/* One queue for all CPUs: nothing is left behind by a CPU that goes. The operations exist so that the scheduler stays. */
void BPF_STRUCT_OPS(srpt_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(srpt_cpu_offline, s32 cpu)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(srpt_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(srpt_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(srpt_ops,
	  .select_cpu = (void *)srpt_select_cpu,
	  .enqueue = (void *)srpt_enqueue,
	  .dispatch = (void *)srpt_dispatch,
	  .runnable = (void *)srpt_runnable,
	  .running = (void *)srpt_running,
	  .tick = (void *)srpt_tick,
	  .stopping = (void *)srpt_stopping,
	  .quiescent = (void *)srpt_quiescent,
	  .yield = (void *)srpt_yield,
	  .init_task = (void *)srpt_init_task,
	  .cpu_online = (void *)srpt_cpu_online,
	  .cpu_offline = (void *)srpt_cpu_offline,
	  .init = (void *)srpt_init,
	  .exit = (void *)srpt_exit,
	  .timeout_ms = 30000,
	  .name = "srpt");
