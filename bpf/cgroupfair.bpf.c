// SPDX-License-Identifier: GPL-2.0-only
/*
 * cgroupfair: CPU time by the weights of cgroups (cpu.weight) at every level, and by nice within a cgroup.
 *
 * There are no queues of cgroups. Every task has a share of the machine: its weight over the weight of all that is
 * runnable in its cgroup, times the same for its cgroup in the parent, and so on up to the root. Virtual time is CPU time
 * divided by the share and by the number of CPUs, and the task with the least goes first, out of one queue. So a task bound
 * to a CPU waits in no group's queue for that group's turn, an idle group's part falls to its siblings at once, and the
 * virtual clock runs about as fast as real time whatever the number of tasks. Three rules bound the wait, as in vtime:
 *
 *  - Lag: a task that slept comes back at most max_lag_us behind the clock.
 *  - Debt: no task waits more than DEBT_MAX_NS ahead of the clock, so the smallest share is one slice in that time.
 *  - The clock advances by at least 1/CLOCK_SHARE of real time.
 *
 * Who wakes up and is overdue interrupts a CPU whose task is not, each CPU at most once a millisecond: else a group whose tasks
 * sleep often does not get its part beside groups that never do. The interrupted CPU compares keys, as at the end of a slice.
 *
 * The weights of what is runnable are sums in a tree that is kept without locks: see shares.bpf.h.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/preempt.bpf.h>
#include <schedcp/shares.bpf.h>
#include <schedcp/stats.bpf.h>
#include <schedcp/vclock.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, slice_us, 3000);
TUNABLE(u32, max_lag_us, 20000);

#define QUEUE 0
#define CLOCK_SHARE 8
#define DEBT_MAX_NS NSEC_PER_SEC
#define LAG_MAX_NS (100 * NSEC_PER_MSEC)
#define PREEMPT_MARGIN_NS NSEC_PER_MSEC
#define PREEMPT_GAP_NS NSEC_PER_MSEC
#define USED_MAX_NS (4 * NSEC_PER_SEC)

enum {
	COUNT_CHARGED_NS = COUNT_OWN, /* CPU time that others waited for, and that was charged */
	COUNT_MOVED,                  /* tasks that changed their cgroup */
	COUNT_NO_NODE,                /* cgroups without a node, which count as part of their parent */
	COUNT_SPARED,                 /* tasks for which no CPU was interrupted, since one had been just before */
};

struct task_state {
	u64 counted; /* CPU time of the task up to which it was charged or forgiven, in ns */
	u64 share;   /* of the machine when it got its slice, in 1/SHARE_ONE */
	struct member member;
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
static u32 nr_online;

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static u64 max_lag(void)
{
	u64 lag = max_lag_us * NSEC_PER_USEC;

	return lag < LAG_MAX_NS ? lag : LAG_MAX_NS;
}

static u64 cpus(void)
{
	u32 nr = nr_online;

	return nr ?: 1;
}

/* No longer than what the bound on debt lets a task of this share have, or a full slice would be forgiven in part. */
static u64 slice_of(struct task_struct *p, struct task_state *state)
{
	u64 slice = slice_us * NSEC_PER_USEC, most;

	if (state) {
		state->share = share_of(&state->member, p->scx.weight);
		most = state->share * cpus() * (DEBT_MAX_NS / SHARE_ONE);
		if (slice > most)
			slice = most;
	}
	return slice_among(slice, scx_bpf_dsq_nr_queued(QUEUE));
}

/* Brings the task's virtual time up to date with what it has run. */
static void settle(struct task_struct *p, struct task_state *state)
{
	u64 used = p->se.sum_exec_runtime - state->counted, due;

	vclock_push(&clock, clock_now(), CLOCK_SHARE);
	state->counted = p->se.sum_exec_runtime;
	if (!state->charged)
		return;
	count_more(COUNT_CHARGED_NS, used);
	if (used > USED_MAX_NS)
		used = USED_MAX_NS;
	due = used * SHARE_ONE / (state->share * cpus() | 1);
	task_set_vtime(p, p->scx.dsq_vtime + (due < DEBT_MAX_NS ? due : DEBT_MAX_NS));
}

/* Where the task belongs now, with its lag and its debt within their bounds. */
static u64 place_of(const struct task_struct *p)
{
	return vclock_place(&clock, p->scx.dsq_vtime, max_lag(), DEBT_MAX_NS);
}

/* In real time: the clock runs about as fast as that. */
static u64 due_at(const struct task_struct *p, u64 now)
{
	return now + (place_of(p) - clock.now);
}

/* Whoever will have to wait and is overdue interrupts a task that is not; that takes effect after enqueue. */
s32 BPF_STRUCT_OPS(cgroupfair_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_state *state = state_of(p);
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	u64 now = clock_now();

	if (!idle) {
		preempt_for(p, due_at(p, now), PREEMPT_MARGIN_NS, PREEMPT_GAP_NS, now, COUNT_SPARED);
		return cpu;
	}
	if (state)
		state->charged = false;
	/* Not runnable yet, so its weight is in no sum, and it has no share to speak of. */
	dsq_insert(p, SCX_DSQ_LOCAL, slice_of(p, NULL), SCX_ENQ_IMMED);
	count(COUNT_SELECT_IDLE);
	return cpu;
}

void BPF_STRUCT_OPS(cgroupfair_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	if (state)
		state->charged = true;
	dsq_insert_ordered(p, QUEUE, slice_of(p, state), place_of(p), enq_flags);
	count(COUNT_ENQUEUED);
	if (wake_idle_cpu_for(p))
		count(COUNT_KICKED);
}

void BPF_STRUCT_OPS(cgroupfair_dispatch, s32 cpu, struct task_struct *prev)
{
	bool goes_on = can_continue(prev, cpu), keeps = false;
	struct task_state *state = goes_on ? state_of(prev) : NULL;

	if (state) {
		settle(prev, state);
		keeps = keeps_turn(state, QUEUE, cpu, place_of(prev));
	}
	end_dispatch(!keeps && dsq_move_to_local(QUEUE, SCX_ENQ_IMMED), goes_on, prev, slice_of(prev, state));
}

/* Even a task that is behind gives way when it asks to, for one turn. */
bool BPF_STRUCT_OPS(cgroupfair_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_state *state = state_of(from);

	return give_way(from, to, state);
}

void BPF_STRUCT_OPS(cgroupfair_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	if (state)
		join(&state->member, state->member.node == NO_NODE ? node_of_task(p) : state->member.node, p->scx.weight);
}

void BPF_STRUCT_OPS(cgroupfair_running, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (!state)
		return;
	state->counted = p->se.sum_exec_runtime;
	state->yielded = false;
	/* Only a task that won against others tells the time: one that found an idle CPU may be far ahead. */
	if (state->charged)
		vclock_won(&clock, p->scx.dsq_vtime);
	cpu_view_of(p)->deadline = due_at(p, clock_now());
	cpu_view_of(p)->busy = true;
}

void BPF_STRUCT_OPS(cgroupfair_tick, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (!state)
		return;
	settle(p, state);
	cpu_view_of(p)->deadline = due_at(p, clock_now());
}

void BPF_STRUCT_OPS(cgroupfair_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *state = state_of(p);

	cpu_view_of(p)->busy = false;
	if (state)
		settle(p, state);
}

void BPF_STRUCT_OPS(cgroupfair_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct task_state *state = state_of(p);

	if (state)
		leave(&state->member);
}

void BPF_STRUCT_OPS(cgroupfair_enable, struct task_struct *p)
{
	task_set_vtime(p, clock.now);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroupfair_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *state = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		return -ENOMEM;
	state->member.node = NO_NODE;
	state->member.weight = 0;
	return 0;
}

void BPF_STRUCT_OPS(cgroupfair_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	struct task_state *state = state_of(p);

	if (state)
		leave(&state->member);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroupfair_cgroup_init, struct cgroup *cgroup, struct scx_cgroup_init_args *args)
{
	struct group *group = bpf_cgrp_storage_get(&groups, cgroup, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!group)
		return -ENOMEM;
	group->node = ROOT;
	group->owns = false;
	if (cgroup->level > 0 && !tree_add(cgroup, group, args->weight))
		count(COUNT_NO_NODE);
	return 0;
}

void BPF_STRUCT_OPS(cgroupfair_cgroup_exit, struct cgroup *cgroup)
{
	struct group *group = bpf_cgrp_storage_get(&groups, cgroup, 0, 0);

	if (group)
		tree_remove(group);
}

void BPF_STRUCT_OPS(cgroupfair_cgroup_move, struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	struct task_state *state = state_of(p);
	u32 node = node_of_cgroup(to);

	if (!state)
		return;
	if (state->member.weight)
		join(&state->member, node, state->member.weight);
	state->member.node = node;
	count(COUNT_MOVED);
}

void BPF_STRUCT_OPS(cgroupfair_cgroup_set_weight, struct cgroup *cgroup, u32 weight)
{
	struct group *group = bpf_cgrp_storage_get(&groups, cgroup, 0, 0);

	if (group && group->owns)
		weight_set(group->node, weight);
}

/* One queue for all CPUs: nothing is left behind by a CPU that goes. */
void BPF_STRUCT_OPS(cgroupfair_cpu_online, s32 cpu)
{
	__sync_fetch_and_add(&nr_online, 1);
}

void BPF_STRUCT_OPS(cgroupfair_cpu_offline, s32 cpu)
{
	__sync_fetch_and_sub(&nr_online, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroupfair_init)
{
	const struct cpumask *online;
	u32 cpu;

	tree_start();
	nr_online = 0;
	/* CPUs cannot come or go during init, and each later change is told to cpu_online or cpu_offline. */
	online = scx_bpf_get_online_cpumask();
	bpf_for(cpu, 0, nr_cpus()) {
		if (bpf_cpumask_test_cpu(cpu, online))
			nr_online++;
	}
	scx_bpf_put_cpumask(online);
	vclock_start(&clock);
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(cgroupfair_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cgroupfair_ops,
	  .select_cpu = (void *)cgroupfair_select_cpu,
	  .enqueue = (void *)cgroupfair_enqueue,
	  .dispatch = (void *)cgroupfair_dispatch,
	  .tick = (void *)cgroupfair_tick,
	  .runnable = (void *)cgroupfair_runnable,
	  .running = (void *)cgroupfair_running,
	  .stopping = (void *)cgroupfair_stopping,
	  .quiescent = (void *)cgroupfair_quiescent,
	  .yield = (void *)cgroupfair_yield,
	  .enable = (void *)cgroupfair_enable,
	  .init_task = (void *)cgroupfair_init_task,
	  .exit_task = (void *)cgroupfair_exit_task,
	  .cgroup_init = (void *)cgroupfair_cgroup_init,
	  .cgroup_exit = (void *)cgroupfair_cgroup_exit,
	  .cgroup_move = (void *)cgroupfair_cgroup_move,
	  .cgroup_set_weight = (void *)cgroupfair_cgroup_set_weight,
	  .cpu_online = (void *)cgroupfair_cpu_online,
	  .cpu_offline = (void *)cgroupfair_cpu_offline,
	  .init = (void *)cgroupfair_init,
	  .exit = (void *)cgroupfair_exit,
	  .timeout_ms = 30000,
	  .name = "cgroupfair");
