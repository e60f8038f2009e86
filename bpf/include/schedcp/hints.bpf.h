/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hints: how much CPU time a job is expected to need, in ns, by process name or by cgroup. The daemon fills both maps
 * between load and attach and may change them at any time. A name is more specific than a cgroup and wins; a cgroup's hint
 * holds for everything below it until a nearer one is met.
 */
#ifndef SCHEDCP_HINTS_BPF_H
#define SCHEDCP_HINTS_BPF_H

#include <schedcp/scheduler.bpf.h>

#define NO_HINT (~0ULL)
#define HINT_VALID_NS (100 * NSEC_PER_MSEC)
#define HINT_CGROUP_DEPTH 32

struct comm {
	char name[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct comm); /* process name, padded with zeros */
	__type(value, u64);       /* expected CPU time in ns */
} hint_comm SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64); /* cgroup id: the inode number of its directory */
	__type(value, u64);
} hint_cgroup SEC(".maps");

/* What was found for one task, kept in its task storage: a search costs a few map look-ups, and tasks wake often. */
struct hint {
	u64 expected; /* ns, or NO_HINT */
	u64 found_at;
	u64 cgroup; /* found for this cgroup and this name */
	struct comm comm;
};

static u64 hint_search(struct task_struct *p, struct comm *comm)
{
	struct cgroup *cgroup = BPF_CORE_READ(p, cgroups, dfl_cgrp);
	u64 *hint = bpf_map_lookup_elem(&hint_comm, comm);
	int level;

	if (hint)
		return *hint;
	/* The nearest ancestor that has a hint; a hint as deep as HINT_CGROUP_DEPTH above the task is not found. */
	bpf_for(level, 0, HINT_CGROUP_DEPTH) {
		u64 id = BPF_CORE_READ(cgroup, kn, id);
		struct cgroup_subsys_state *parent;

		hint = bpf_map_lookup_elem(&hint_cgroup, &id);
		if (hint)
			return *hint;
		parent = BPF_CORE_READ(cgroup, self.parent);
		if (!parent)
			break;
		cgroup = BPF_CORE_READ(parent, cgroup);
	}
	return NO_HINT;
}

/*
 * The name changes at exec and the cgroup at a move, both while the task runs, and hints change whenever the daemon says
 * so. So the hint is looked at again each time it matters, and searched for again only when one of those is possible.
 */
static u64 expected_time(struct task_struct *p, struct hint *hint, u64 now)
{
	u64 cgroup = BPF_CORE_READ(p, cgroups, dfl_cgrp, kn, id);
	struct comm comm = {};

	bpf_probe_read_kernel_str(comm.name, sizeof(comm.name), p->comm);
	if (now - hint->found_at >= HINT_VALID_NS || cgroup != hint->cgroup ||
	    __builtin_memcmp(&comm, &hint->comm, sizeof(comm))) {
		hint->expected = hint_search(p, &comm);
		hint->found_at = now;
		hint->cgroup = cgroup;
		hint->comm = comm;
	}
	return hint->expected;
}

#endif
