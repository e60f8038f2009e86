/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hint-map: what user space knows of a task, by process name or by cgroup.
 *
 * The maps hint_comm and hint_cgroup hold a number for a name (at most 15 bytes, padded with zeros) or for a cgroup's id,
 * which also holds for everything below it: expected CPU time in ns, or whatever the scheduler takes it for. The daemon
 * fills them before the scheduler is attached and may change them at any time; what was found for a task is kept for 100 ms
 * or until its name or its cgroup change. A hint is a hint: whoever uses the number has to bound what it can do.
 */
#ifndef SCHEDCP_PRIMITIVE_HINT_MAP_H
#define SCHEDCP_PRIMITIVE_HINT_MAP_H

#include <schedcp/scheduler.bpf.h>
#include <schedcp/hints.bpf.h>

/* In init_task: `hint` lies in the task's own storage. */
static __always_inline void hint_map_init(struct hint *hint)
{
	hint->expected = NO_HINT;
}

/* The number for a task, at most `most`; `otherwise` where nothing was said of it. */
static __always_inline u64 hint_map_of(struct task_struct *p, struct hint *hint, u64 most, u64 otherwise)
{
	u64 expected = expected_time(p, hint, clock_now());

	if (expected == NO_HINT)
		return otherwise;
	return expected < most ? expected : most;
}

#endif
