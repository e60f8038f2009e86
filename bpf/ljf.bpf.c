// SPDX-License-Identifier: GPL-2.0-only
/*
 * ljf: the job that is expected to need most CPU time goes first.
 *
 * Started last, the longest job of a batch runs alone at the end while other CPUs idle; started first, the short ones fill
 * the gaps. Who is long is said by hints: by process name, or by cgroup (with all below it), in ns of CPU time.
 *
 * A job's place in the queue is (when it became runnable) - credit, the smallest first, with credit = the smaller of its
 * expected time and max_credit. A waiting job is therefore overtaken only by jobs that arrive less than max_credit after
 * it: the bound on starvation. Three details follow from that:
 *
 *  - A job within its expected time keeps its place, and so its CPU, until it is done: no sharing in turns that would
 *    finish everything late. CPU time beyond what was expected moves it back by as much, so a wrong hint costs little.
 *  - A place is never better than (now - max_credit), or else a job that never sleeps would stay ahead of all arrivals.
 *  - A task without a hint has full credit: shells, daemons and kernel threads must not wait behind the batch, whose
 *    jobs are the ones that somebody described. Such tasks pay for every ns, hence share fairly among themselves.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/hints.bpf.h>
#include <schedcp/stats.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u32 slice_us = 10000;
const volatile __u32 max_credit_ms = 15000;

#define QUEUE 0
#define CREDIT_MAX_NS (20 * NSEC_PER_SEC)

struct task_state {
	u64 since;    /* when it became runnable, moved on by the CPU time it overran, in ns */
	u64 counted;  /* CPU time of the task up to which overrun is in `since` */
	struct hint hint;
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

static u64 max_credit(void)
{
	u64 credit = max_credit_ms * NSEC_PER_MSEC;

	return credit < CREDIT_MAX_NS ? credit : CREDIT_MAX_NS;
}

static u64 slice_ns(void)
{
	return slice_among(slice_us * NSEC_PER_USEC, scx_bpf_dsq_nr_queued(QUEUE));
}

static u64 place_of(struct task_struct *p, struct task_state *state, u64 now)
{
	u64 expected = expected_time(p, &state->hint, now), most = max_credit();

	return later(state->since - (expected < most ? expected : most), now - most);
}

/* Moves the task's place back by the CPU time that it used and that nobody expected. */
static void charge_overrun(struct task_struct *p, struct task_state *state)
{
	u64 ran = p->se.sum_exec_runtime, from = state->counted;
	u64 expected = state->hint.expected == NO_HINT ? 0 : state->hint.expected;

	if (from < expected)
		from = expected;
	if (from < ran)
		state->since += ran - from;
	state->counted = ran;
}

s32 BPF_STRUCT_OPS(ljf_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle) {
		dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

void BPF_STRUCT_OPS(ljf_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	/* A change of nice or affinity also ends here, and must not cost a waiting task its age. */
	if (state && (!state->since || (enq_flags & SCX_ENQ_WAKEUP)))
		state->since = clock_now();
}

void BPF_STRUCT_OPS(ljf_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);
	u64 now = clock_now();

	dsq_insert_ordered(p, QUEUE, slice_ns(), state ? place_of(p, state, now) : now, enq_flags);
	count(COUNT_ENQUEUED);
	if (wake_idle_cpu_for(p))
		count(COUNT_KICKED);
}

/* The end of a slice is only a moment to compare: the longest job goes on where it is, with its cache warm. */
static bool stays_first(struct task_struct *prev, s32 cpu)
{
	struct task_state *state = state_of(prev);
	u64 first;

	/*
	 * The first that waits goes before a task that yielded, and no more than that one: without its credit it would be
	 * overtaken by all that arrive for as long as theirs lasts.
	 */
	if (!state || state->yielded)
		return false;
	charge_overrun(prev, state);
	return !first_waiting(QUEUE, cpu, &first) || !before(first, place_of(prev, state, clock_now()));
}

void BPF_STRUCT_OPS(ljf_dispatch, s32 cpu, struct task_struct *prev)
{
	bool goes_on = can_continue(prev, cpu), keeps = goes_on && stays_first(prev, cpu);

	end_dispatch(!keeps && dsq_move_to_local(QUEUE, SCX_ENQ_IMMED), goes_on, prev, slice_ns());
}

bool BPF_STRUCT_OPS(ljf_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_state *state = state_of(from);

	return give_way(from, to, state);
}

void BPF_STRUCT_OPS(ljf_running, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (state) {
		state->counted = p->se.sum_exec_runtime;
		state->yielded = false;
	}
}

void BPF_STRUCT_OPS(ljf_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *state = state_of(p);

	if (state)
		charge_overrun(p, state);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ljf_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *state = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		return -ENOMEM;
	state->hint.expected = NO_HINT;
	return 0;
}

/* One queue for all CPUs: nothing is left behind by a CPU that goes. The operations exist so that the scheduler stays. */
void BPF_STRUCT_OPS(ljf_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(ljf_cpu_offline, s32 cpu)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ljf_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(ljf_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ljf_ops,
	  .select_cpu = (void *)ljf_select_cpu,
	  .enqueue = (void *)ljf_enqueue,
	  .dispatch = (void *)ljf_dispatch,
	  .runnable = (void *)ljf_runnable,
	  .running = (void *)ljf_running,
	  .stopping = (void *)ljf_stopping,
	  .yield = (void *)ljf_yield,
	  .init_task = (void *)ljf_init_task,
	  .cpu_online = (void *)ljf_cpu_online,
	  .cpu_offline = (void *)ljf_cpu_offline,
	  .init = (void *)ljf_init,
	  .exit = (void *)ljf_exit,
	  .timeout_ms = 30000,
	  .name = "ljf");
