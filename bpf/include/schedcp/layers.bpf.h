/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layers and the rules that sort tasks into them: data that user space may write at any time, as the array map `.data.layers`
 * with one element. The first rule all of whose conditions hold decides; a task that no rule describes is in layer 0.
 *
 * Whoever changes something writes the whole, then counts `version` up. Tasks are sorted anew at their next wakeup or tick
 * after that, or after LAYER_VALID_NS. Any values are safe: what is out of range is clamped where it is used.
 */
#ifndef SCHEDCP_LAYERS_BPF_H
#define SCHEDCP_LAYERS_BPF_H

#include <schedcp/flat.bpf.h>
#include <schedcp/scheduler.bpf.h>

#define LAYERS 16
#define LAYER_RULES 32
#define LAYER_NAME 16
#define LAYER_DEPTH 32
#define NICE_0_PRIORITY 120 /* of p->static_prio */
#define LAYER_VALID_NS (100 * NSEC_PER_MSEC)

/* The conditions of a rule that count; one without any is not used. */
#define RULE_NAME 1    /* the task's name begins with the first `length` bytes of `name` */
#define RULE_CGROUP 2  /* it is in the cgroup of this id, `depth` levels below the root, or below it */
#define RULE_NICE 4    /* its nice value is in nice_least … nice_most */
#define RULE_THREADS 8 /* its process has at least `threads` threads */

struct layer_rule {
	u32 conditions;
	u32 layer;
	u64 cgroup;
	u32 depth;
	u32 threads;
	s32 nice_least;
	s32 nice_most;
	u32 length;
	u32 reserved;
	char name[LAYER_NAME];
};

struct layer {
	u32 weight;    /* against other layers, 100 is usual */
	u32 guarantee; /* part of each CPU in thousandths; 0: none */
	u32 cap;       /* the same; 0: none */
	u32 reserved;
};

struct layer_table {
	u32 version;
	u32 reserved; /* here and below: 0 */
	struct layer layers[LAYERS];
	struct layer_rule rule[LAYER_RULES];
};

_Static_assert(sizeof(struct layer_rule) == 56 && sizeof(struct layer_table) == 8 + LAYERS * 16 + LAYER_RULES * 56,
	       "user space writes these");

/* What is there until somebody writes something else: nice tells background and important tasks apart. */
volatile struct layer_table layer_table SEC(".data.layers") = {
	.version = 1,
	.layers = {
		[0] = { .weight = 100 },
		[1] = { .weight = 20 },
		[2] = { .weight = 200, .guarantee = 300 },
	},
	.rule = {
		{ .conditions = RULE_NICE, .layer = 1, .nice_least = 5, .nice_most = 19 },
		{ .conditions = RULE_NICE, .layer = 2, .nice_least = -20, .nice_most = -5 },
	},
};

/* Where a task was sorted, kept in its task storage. */
struct layer_choice {
	u32 layer;
	u32 version; /* by the rules of this version; 0: not yet */
	u64 found_at;
};

static u32 layer_slot(u32 layer)
{
	barrier_var(layer);
	return layer & (LAYERS - 1);
}

static u32 layer_weight(u32 layer)
{
	return flat_within(layer_table.layers[layer_slot(layer)].weight, 1, 1000);
}

static u32 layer_guarantee(u32 layer)
{
	return flat_least(layer_table.layers[layer_slot(layer)].guarantee, 1000);
}

static u32 layer_cap(u32 layer)
{
	u32 cap = layer_table.layers[layer_slot(layer)].cap;

	return flat_least(cap + (~flat_differ(cap, 0) & 1000), 1000);
}

/* What rules ask of a task. */
struct layer_facts {
	u64 name[LAYER_NAME / 8];
	s64 nice;
	s64 threads;
	u64 cgroups[LAYER_DEPTH]; /* ids, by depth below the root */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct layer_facts);
} layer_facts SEC(".maps");

static void layer_look(struct task_struct *p, struct layer_facts *facts)
{
	struct cgroup *cgroup = BPF_CORE_READ(p, cgroups, dfl_cgrp);
	u32 depth = BPF_CORE_READ(cgroup, level), i;

	__builtin_memset(facts, 0, sizeof(*facts));
	bpf_probe_read_kernel_str(facts->name, sizeof(facts->name), p->comm);
	facts->nice = (s64)p->static_prio - NICE_0_PRIORITY;
	facts->threads = BPF_CORE_READ(p, signal, nr_threads);
	/* From the task's own cgroup upwards. Where it is so deep that places are used twice, an id in a wrong place fits no rule. */
	bpf_for(i, 0, LAYER_DEPTH) {
		struct cgroup_subsys_state *parent = BPF_CORE_READ(cgroup, self.parent);

		facts->cgroups[(depth - i) & (LAYER_DEPTH - 1)] = BPF_CORE_READ(cgroup, kn, id);
		if (!parent)
			break;
		cgroup = BPF_CORE_READ(parent, cgroup);
	}
}

/* All ones in the first `length` bytes of a word. */
static u64 layer_bytes(s64 length)
{
	return flat_choice(length - 8, (1ULL << (length * 8 & 63)) - 1, ~0ULL);
}

/* All ones when the rule describes the task, else 0. */
static s64 layer_fits(const volatile struct layer_rule *rule, const struct layer_facts *facts)
{
	const volatile u64 *name = (const volatile u64 *)rule->name;
	s64 length = flat_least(rule->length, LAYER_NAME), conditions = rule->conditions, unmet;
	u64 begins = (facts->name[0] ^ name[0]) & layer_bytes(length), cgroup = rule->cgroup;

	begins |= (facts->name[1] ^ name[1]) & layer_bytes(flat_most(length - 8, 0));
	unmet = flat_differ(begins, 0) & RULE_NAME;
	unmet |= flat_differ(facts->cgroups[rule->depth & (LAYER_DEPTH - 1)], cgroup) & RULE_CGROUP;
	unmet |= ~flat_differ(cgroup, 0) & RULE_CGROUP;
	unmet |= flat_negative((facts->nice - rule->nice_least) | (rule->nice_most - facts->nice)) & RULE_NICE;
	unmet |= flat_negative(facts->threads - rule->threads) & RULE_THREADS;
	return flat_differ(conditions, 0) & ~flat_differ(conditions & unmet, 0);
}

/* The layer of the first rule that describes the task. Without branches, so that the rules are one path for a verifier. */
static u32 layer_of(struct task_struct *p)
{
	struct layer_facts *facts = bpf_map_lookup_elem(&layer_facts, &(u32){0});
	u64 layer = 0, open = ~0ULL;
	u32 i;

	if (!facts)
		return 0;
	layer_look(p, facts);
	bpf_for(i, 0, LAYER_RULES) {
		const volatile struct layer_rule *rule = &layer_table.rule[i & (LAYER_RULES - 1)];
		u64 fits = layer_fits(rule, facts);

		layer |= rule->layer & fits & open;
		open &= ~fits;
	}
	return layer_slot(layer);
}

/* Sorts a task, unless what was found still holds: its name, cgroup and nice may change while it runs, as the rules may. */
static void layer_choose(struct task_struct *p, struct layer_choice *choice, u64 now)
{
	u32 version = layer_table.version;

	if (choice->version == version && now - choice->found_at < LAYER_VALID_NS)
		return;
	choice->layer = layer_of(p);
	choice->version = version;
	choice->found_at = now;
}

#endif
