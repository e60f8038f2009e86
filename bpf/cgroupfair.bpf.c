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
 * The weights of what is runnable are sums in a tree that is kept without locks: see struct tree_node.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/stats.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, slice_us, 5000);
TUNABLE(u32, max_lag_us, 20000);

#define QUEUE 0
#define CLOCK_SHARE 8
#define DEBT_MAX_NS NSEC_PER_SEC
#define LAG_MAX_NS (100 * NSEC_PER_MSEC)
#define USED_MAX_NS (4 * NSEC_PER_SEC)

#define MAX_NODES 4096 /* a power of two */
#define MAX_DEPTH 32   /* levels, the root's included */
#define ROOT 0
#define NO_NODE (~0U)
#define SHARE_ONE (1ULL << 24)

enum {
	COUNT_CHARGED_NS = COUNT_OWN, /* CPU time that others waited for, and that was charged */
	COUNT_MOVED,                  /* tasks that changed their cgroup */
	COUNT_NO_NODE,                /* cgroups without a node, which count as part of their parent */
};

/*
 * A cgroup in the tree. `load` holds the group's own weight in the upper 16 bits and, below, the sum of the weights of what
 * is runnable in it: tasks, and groups with something runnable. One atomic addition changes the sum and tells both, so
 * whoever takes the sum from or to 0 knows the weight that the parent has to count. What is added is what is subtracted
 * later, in whatever order CPUs do it; a sum that is below 0 for a moment borrows from the weight, and is not 0.
 */
struct tree_node {
	u64 load;
	u32 parent;
	u32 weight;
	u32 next_free;
};

#define SUM_BITS 48
#define SUM_MASK ((1ULL << SUM_BITS) - 1)

static struct tree_node nodes[MAX_NODES];
static u32 nodes_used; /* cgroups come and go one at a time, under the kernel's lock */
static u32 nodes_free; /* ROOT: none */
static u32 nr_online;

struct group {
	u32 node;
	bool owns; /* false: the node is an ancestor's */
};

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct group);
} groups SEC(".maps");

struct task_state {
	u64 counted; /* CPU time of the task up to which it was charged or forgiven, in ns */
	u64 share;   /* of the machine when it got its slice, in 1/SHARE_ONE */
	u32 node;    /* of its cgroup; NO_NODE: not looked up yet */
	u32 weight;  /* what it adds to the node's sum; 0: it is not runnable */
	bool charged; /* it had to queue for its present run, so the run is charged */
	bool yielded;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

static u64 clock;      /* virtual time now */
static u64 clock_wall; /* when it was last pushed on, in real time */

/* Kernels without EXT_GROUP_SCHED have neither; everything is in the root then. */
struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) __ksym __weak;
struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgroup, int level) __ksym __weak;
void bpf_cgroup_release(struct cgroup *cgroup) __ksym __weak;

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static struct tree_node *node_at(u32 index)
{
	/* See llc_slot: the mask is for verifiers, and the compiler must not know that it is needless. */
	barrier_var(index);
	return &nodes[index & (MAX_NODES - 1)];
}

static u64 max_lag(void)
{
	u64 lag = max_lag_us * NSEC_PER_USEC;

	return lag < LAG_MAX_NS ? lag : LAG_MAX_NS;
}

/* The tree */

/* Adds to a node's sum, and to those above as far as one of them comes to life or falls asleep by it. */
static void sum_add(u32 index, s64 amount)
{
	int level;

	bpf_for(level, 0, MAX_DEPTH) {
		struct tree_node *node = node_at(index);
		u64 before = __sync_fetch_and_add(&node->load, amount), after = before + amount;

		if (index == ROOT)
			break;
		if (!(before & SUM_MASK))
			amount = before >> SUM_BITS;
		else if (!(after & SUM_MASK))
			amount = -(s64)(after >> SUM_BITS);
		else
			break;
		index = node->parent;
	}
}

static void weight_set(u32 index, u32 weight)
{
	struct tree_node *node = node_at(index);
	s64 change = (s64)weight - __sync_lock_test_and_set(&node->weight, weight);
	u64 before = __sync_fetch_and_add(&node->load, (u64)change << SUM_BITS);

	if (index != ROOT && (before & SUM_MASK))
		sum_add(node->parent, change);
}

static u32 node_take(void)
{
	u32 index = nodes_free;

	if (index != ROOT) {
		nodes_free = node_at(index)->next_free;
		return index;
	}
	return nodes_used < MAX_NODES ? nodes_used++ : NO_NODE;
}

static void leave(struct task_state *state)
{
	if (state->weight)
		sum_add(state->node, -(s64)state->weight);
	state->weight = 0;
}

static void join(struct task_state *state, u32 node, u32 weight)
{
	leave(state);
	state->node = node;
	state->weight = weight;
	sum_add(node, state->weight);
}

static u32 node_of_cgroup(struct cgroup *cgroup)
{
	struct group *group = bpf_cgrp_storage_get(&groups, cgroup, 0, 0);

	return group ? group->node : ROOT;
}

static u32 node_of_task(struct task_struct *p)
{
	struct cgroup *cgroup;
	u32 node;

	if (!bpf_ksym_exists(scx_bpf_task_cgroup))
		return ROOT;
	cgroup = scx_bpf_task_cgroup(p);
	node = node_of_cgroup(cgroup);
	bpf_cgroup_release(cgroup);
	return node;
}

/* Never divides by 0, and is off by less than 1/256 of the least weight. */
static u64 part(u64 whole, u64 weight, u64 sum)
{
	return whole * (weight << 8) / (sum << 8 | 1);
}

/* The task's part of the machine if everything that is runnable now stays so. */
static u64 share_of(const struct task_state *state, u32 weight)
{
	u32 index = state->node == NO_NODE ? ROOT : state->node;
	u64 share = part(SHARE_ONE, weight, node_at(index)->load & SUM_MASK);
	int level;

	bpf_for(level, 0, MAX_DEPTH) {
		struct tree_node *node = node_at(index);

		if (index == ROOT)
			break;
		share = part(share, node->load >> SUM_BITS, node_at(node->parent)->load & SUM_MASK);
		index = node->parent;
	}
	return share | 1;
}

/* Virtual time */

static u64 cpus(void)
{
	u32 nr = nr_online;

	return nr ?: 1;
}

/* Races between CPUs lose at most one small step of the clock, which the next step makes good. */
static void clock_advance(u64 now)
{
	u64 last = clock_wall;

	if (before(last, now) && __sync_val_compare_and_swap(&clock_wall, last, now) == last)
		__sync_fetch_and_add(&clock, (now - last) / CLOCK_SHARE);
}

/* No longer than what the bound on debt lets a task of this share have, or a full slice would be forgiven in part. */
static u64 slice_of(struct task_struct *p, struct task_state *state)
{
	u64 slice = slice_us * NSEC_PER_USEC, most;

	if (state) {
		state->share = share_of(state, p->scx.weight);
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
	u64 vtime = later(p->scx.dsq_vtime, clock - max_lag());

	return before(clock + DEBT_MAX_NS, vtime) ? clock + DEBT_MAX_NS : vtime;
}

/* The operations */

s32 BPF_STRUCT_OPS(cgroupfair_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle) {
		struct task_state *state = state_of(p);

		if (state)
			state->charged = false;
		/* Not runnable yet, so its weight is in no sum, and it has no share to speak of. */
		dsq_insert(p, SCX_DSQ_LOCAL, slice_of(p, NULL), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

void BPF_STRUCT_OPS(cgroupfair_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	clock_advance(clock_now());
	if (state)
		state->charged = true;
	dsq_insert_ordered(p, QUEUE, slice_of(p, state), place_of(p), enq_flags);
	count(COUNT_ENQUEUED);
	if (wake_idle_cpu_for(p))
		count(COUNT_KICKED);
}

void BPF_STRUCT_OPS(cgroupfair_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_state *state;
	bool contended;
	u64 first;

	if (!can_continue(prev, cpu)) {
		count(dsq_move_to_local(QUEUE, SCX_ENQ_IMMED) ? COUNT_DISPATCHED : COUNT_IDLE);
		return;
	}
	state = state_of(prev);
	contended = first_waiting(QUEUE, cpu, &first);
	if (state) {
		settle(prev, state);
		/* When nobody waits for this CPU, what the task runs from here on takes nothing from anybody. */
		state->charged = contended;
	}
	if (contended && !(state && !state->yielded && before(place_of(prev), first)) &&
	    dsq_move_to_local(QUEUE, SCX_ENQ_IMMED)) {
		count(COUNT_DISPATCHED);
		return;
	}
	task_set_slice(prev, slice_of(prev, state));
	count(COUNT_KEPT);
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
		join(state, state->node == NO_NODE ? node_of_task(p) : state->node, p->scx.weight);
}

void BPF_STRUCT_OPS(cgroupfair_running, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	clock_advance(clock_now());
	if (!state)
		return;
	state->counted = p->se.sum_exec_runtime;
	state->yielded = false;
	/* Only a task that won against others tells the time: one that found an idle CPU may be far ahead. */
	if (state->charged)
		clock = later(clock, p->scx.dsq_vtime);
}

void BPF_STRUCT_OPS(cgroupfair_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *state = state_of(p);

	if (state)
		settle(p, state);
}

void BPF_STRUCT_OPS(cgroupfair_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct task_state *state = state_of(p);

	if (state)
		leave(state);
}

void BPF_STRUCT_OPS(cgroupfair_enable, struct task_struct *p)
{
	task_set_vtime(p, clock);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroupfair_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *state = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		return -ENOMEM;
	state->node = NO_NODE;
	state->weight = 0;
	return 0;
}

void BPF_STRUCT_OPS(cgroupfair_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	struct task_state *state = state_of(p);

	if (state)
		leave(state);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroupfair_cgroup_init, struct cgroup *cgroup, struct scx_cgroup_init_args *args)
{
	struct group *group = bpf_cgrp_storage_get(&groups, cgroup, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct cgroup *above;
	u32 parent = ROOT, node;

	if (!group)
		return -ENOMEM;
	group->node = ROOT;
	group->owns = false;
	if (cgroup->level <= 0)
		return 0;
	above = bpf_cgroup_ancestor(cgroup, cgroup->level - 1);
	if (above) {
		parent = node_of_cgroup(above);
		bpf_cgroup_release(above);
	}
	/* Deeper than a climb goes, or where the tree is full, it is a part of its parent. */
	node = cgroup->level < MAX_DEPTH ? node_take() : NO_NODE;
	group->owns = node != NO_NODE;
	group->node = group->owns ? node : parent;
	if (!group->owns) {
		count(COUNT_NO_NODE);
		return 0;
	}
	node_at(node)->parent = parent;
	weight_set(node, args->weight);
	return 0;
}

void BPF_STRUCT_OPS(cgroupfair_cgroup_exit, struct cgroup *cgroup)
{
	struct group *group = bpf_cgrp_storage_get(&groups, cgroup, 0, 0);

	if (!group || !group->owns)
		return;
	node_at(group->node)->next_free = nodes_free;
	nodes_free = group->node;
	group->owns = false;
}

void BPF_STRUCT_OPS(cgroupfair_cgroup_move, struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	struct task_state *state = state_of(p);
	u32 node = node_of_cgroup(to);

	if (!state)
		return;
	if (state->weight)
		join(state, node, state->weight);
	state->node = node;
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
	u32 cpu, index;

	/* What an earlier attachment of the same load left is void. */
	bpf_for(index, 0, MAX_NODES) {
		node_at(index)->load = 0;
		node_at(index)->weight = 0;
	}
	nodes_used = ROOT + 1;
	nodes_free = ROOT;
	nr_online = 0;
	/* CPUs cannot come or go during init, and each later change is told to cpu_online or cpu_offline. */
	online = scx_bpf_get_online_cpumask();
	bpf_for(cpu, 0, nr_cpus()) {
		if (bpf_cpumask_test_cpu(cpu, online))
			nr_online++;
	}
	scx_bpf_put_cpumask(online);
	clock_wall = clock_now();
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
