/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tree of cgroups with the weights of what is runnable in each, kept without locks, and what follows from it: the share
 * of the machine that a task has. Cgroups beyond MAX_NODES, or deeper than MAX_DEPTH, count as a part of their parent.
 */
#ifndef SCHEDCP_SHARES_BPF_H
#define SCHEDCP_SHARES_BPF_H

#include <schedcp/scheduler.bpf.h>

#define MAX_NODES 4096 /* a power of two */
#define MAX_DEPTH 32   /* levels, the root's included */
#define ROOT 0
#define NO_NODE (~0U)
#define SHARE_ONE (1ULL << 24)

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

/* What a task adds to the sums. */
struct member {
	u32 node;   /* of its cgroup; NO_NODE: not looked up yet */
	u32 weight; /* 0: it is not runnable */
};

/* Kernels without EXT_GROUP_SCHED have neither; everything is in the root then. */
struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) __ksym __weak;
struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgroup, int level) __ksym __weak;
void bpf_cgroup_release(struct cgroup *cgroup) __ksym __weak;

static struct tree_node *node_at(u32 index)
{
	/* See llc_slot: the mask is for verifiers, and the compiler must not know that it is needless. */
	barrier_var(index);
	return &nodes[index & (MAX_NODES - 1)];
}

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

static void leave(struct member *member)
{
	if (member->weight)
		sum_add(member->node, -(s64)member->weight);
	member->weight = 0;
}

static void join(struct member *member, u32 node, u32 weight)
{
	leave(member);
	member->node = node;
	member->weight = weight;
	sum_add(node, weight);
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

/* The part of the machine that a task of this weight has if everything that is runnable now stays so. */
static u64 share_of(const struct member *member, u32 weight)
{
	u32 index = member->node == NO_NODE ? ROOT : member->node;
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

/* What an earlier attachment of the same load left is void. */
static void tree_start(void)
{
	u32 index;

	bpf_for(index, 0, MAX_NODES) {
		node_at(index)->load = 0;
		node_at(index)->weight = 0;
	}
	nodes_used = ROOT + 1;
	nodes_free = ROOT;
}

/* A new cgroup gets a node of its own; false where it has to share its parent's. */
static bool tree_add(struct cgroup *cgroup, struct group *group, u32 weight)
{
	struct cgroup *above = bpf_cgroup_ancestor(cgroup, cgroup->level - 1);
	u32 parent = ROOT, node;

	if (above) {
		parent = node_of_cgroup(above);
		bpf_cgroup_release(above);
	}
	node = cgroup->level < MAX_DEPTH ? node_take() : NO_NODE;
	group->owns = node != NO_NODE;
	group->node = group->owns ? node : parent;
	if (!group->owns)
		return false;
	node_at(node)->parent = parent;
	weight_set(node, weight);
	return true;
}

static void tree_remove(struct group *group)
{
	if (!group->owns)
		return;
	node_at(group->node)->next_free = nodes_free;
	nodes_free = group->node;
	group->owns = false;
}

#endif
