// SPDX-License-Identifier: GPL-2.0-only
/*
 * vtime: weighted fair sharing by virtual time, from one queue.
 *
 * A task's virtual time grows by the CPU time it used, divided by its weight; the task with the least goes first. Three
 * rules bound what that can do to a task:
 *
 *  - Lag: a task that slept comes back at most max_lag_us behind the clock, so nobody saves up a monopoly.
 *  - Debt: no task waits more than DEBT_MAX_NS ahead of the clock, so neither a low weight nor a long run is exile.
 *  - The clock itself advances by at least 1/CLOCK_SHARE of real time, so a crowd of heavy tasks cannot stop it.
 *
 * Together: after CLOCK_SHARE * (DEBT_MAX_NS + max_lag) of waiting every newcomer queues behind the waiter.
 * CPU time that nobody else wanted is not charged: see `charged`.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/stats.bpf.h>
#include <schedcp/vclock.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u32 slice_us = 3000;
const volatile __u32 max_lag_us = 10000;

#define QUEUE 0
#define CLOCK_SHARE 50
#define DEBT_MAX_NS (250 * NSEC_PER_MSEC)
#define LAG_MAX_NS (100 * NSEC_PER_MSEC)

struct task_state {
	u64 counted; /* CPU time of the task up to which it was charged or forgiven, in ns */
	bool charged; /* it had to queue for its present run, so the run is charged */
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

static u64 max_lag(void)
{
	u64 lag = max_lag_us * NSEC_PER_USEC;

	return lag < LAG_MAX_NS ? lag : LAG_MAX_NS;
}

/* A light task gets a shorter slice too: a full one would put it so far ahead that the bound on debt had to forgive. */
static u64 slice_of(const struct task_struct *p, s32 queued)
{
	u64 slice = slice_us * NSEC_PER_USEC;

	if (p->scx.weight < WEIGHT_NICE_0)
		slice = slice * p->scx.weight / WEIGHT_NICE_0;
	return slice_among(slice, queued);
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

s32 BPF_STRUCT_OPS(vtime_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle) {
		struct task_state *state = state_of(p);

		if (state)
			state->charged = false;
		dsq_insert(p, SCX_DSQ_LOCAL, slice_of(p, 0), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

/* Where the task belongs now, with its lag and its debt within their bounds. */
static u64 place_of(const struct task_struct *p)
{
	return vclock_place(&clock, p->scx.dsq_vtime, max_lag(), DEBT_MAX_NS);
}

void BPF_STRUCT_OPS(vtime_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);
	s32 queued = scx_bpf_dsq_nr_queued(QUEUE);

	if (state)
		state->charged = true;
	dsq_insert_ordered(p, QUEUE, slice_of(p, queued), place_of(p), enq_flags);
	count(COUNT_ENQUEUED);
	if (wake_idle_cpu_behind(queued, p, enq_flags))
		count(COUNT_KICKED);
}

void BPF_STRUCT_OPS(vtime_dispatch, s32 cpu, struct task_struct *prev)
{
	bool goes_on = can_continue(prev, cpu), keeps = false;
	struct task_state *state = goes_on ? state_of(prev) : NULL;

	if (state) {
		settle(prev, state);
		keeps = keeps_turn(state, QUEUE, cpu, place_of(prev));
	}
	end_dispatch(!keeps && dsq_move_to_local(QUEUE, SCX_ENQ_IMMED), goes_on, prev,
		     slice_of(prev, scx_bpf_dsq_nr_queued(QUEUE)));
}

/* Even a task that is behind gives way when it asks to, for one turn. */
bool BPF_STRUCT_OPS(vtime_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_state *state = state_of(from);

	return give_way(from, to, state);
}

void BPF_STRUCT_OPS(vtime_running, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (!state)
		return;
	state->counted = p->se.sum_exec_runtime;
	state->yielded = false;
	/* Only a task that won against others tells the time: one that found an idle CPU may be far ahead. */
	if (state->charged)
		vclock_won(&clock, p->scx.dsq_vtime);
}

void BPF_STRUCT_OPS(vtime_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *state = state_of(p);

	if (state)
		settle(p, state);
}

void BPF_STRUCT_OPS(vtime_enable, struct task_struct *p)
{
	task_set_vtime(p, clock.now);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(vtime_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	/* The one allocation of a task's life, freed with it. A fork that finds no memory here fails as any other would. */
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

/* One queue for all CPUs: nothing is left behind by a CPU that goes. The operations exist so that the scheduler stays. */
void BPF_STRUCT_OPS(vtime_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(vtime_cpu_offline, s32 cpu)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(vtime_init)
{
	vclock_start(&clock);
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(vtime_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(vtime_ops,
	  .select_cpu = (void *)vtime_select_cpu,
	  .enqueue = (void *)vtime_enqueue,
	  .dispatch = (void *)vtime_dispatch,
	  .running = (void *)vtime_running,
	  .stopping = (void *)vtime_stopping,
	  .yield = (void *)vtime_yield,
	  .enable = (void *)vtime_enable,
	  .init_task = (void *)vtime_init_task,
	  .cpu_online = (void *)vtime_cpu_online,
	  .cpu_offline = (void *)vtime_cpu_offline,
	  .init = (void *)vtime_init,
	  .exit = (void *)vtime_exit,
	  .timeout_ms = 30000,
	  .name = "vtime");
