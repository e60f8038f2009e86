/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values of the kernel's enumerators, taken from the kernel that runs and not from the one we compiled against.
 *
 * The loader looks each `__NAME` up in the running kernel's BTF before load and writes the value of the enumerator NAME
 * there. An enumerator that this kernel lacks stays 0, which for a flag means "not asked for". This is the convention of
 * the sched_ext schedulers, so any loader that knows it can load our objects, and ours can load theirs.
 */
#ifndef SCHEDCP_ENUMS_BPF_H
#define SCHEDCP_ENUMS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define SCHEDCP_ENUM(name) const volatile __u64 __##name __weak

/* Dispatch queues that the kernel itself owns. */
SCHEDCP_ENUM(SCX_DSQ_INVALID);
SCHEDCP_ENUM(SCX_DSQ_GLOBAL);
SCHEDCP_ENUM(SCX_DSQ_LOCAL);
SCHEDCP_ENUM(SCX_DSQ_LOCAL_ON);
#define SCX_DSQ_INVALID __SCX_DSQ_INVALID
#define SCX_DSQ_GLOBAL __SCX_DSQ_GLOBAL
#define SCX_DSQ_LOCAL __SCX_DSQ_LOCAL
#define SCX_DSQ_LOCAL_ON __SCX_DSQ_LOCAL_ON

/* Slices in ns. */
SCHEDCP_ENUM(SCX_SLICE_DFL);
SCHEDCP_ENUM(SCX_SLICE_INF);
#define SCX_SLICE_DFL __SCX_SLICE_DFL
#define SCX_SLICE_INF __SCX_SLICE_INF

/* Why and how a task is enqueued. SCX_ENQ_CPU_SELECTED is 6.15+, SCX_ENQ_IMMED is 7.1+. */
SCHEDCP_ENUM(SCX_ENQ_WAKEUP);
SCHEDCP_ENUM(SCX_ENQ_HEAD);
SCHEDCP_ENUM(SCX_ENQ_PREEMPT);
SCHEDCP_ENUM(SCX_ENQ_REENQ);
SCHEDCP_ENUM(SCX_ENQ_LAST);
SCHEDCP_ENUM(SCX_ENQ_CPU_SELECTED);
SCHEDCP_ENUM(SCX_ENQ_IMMED);
#define SCX_ENQ_WAKEUP __SCX_ENQ_WAKEUP
#define SCX_ENQ_HEAD __SCX_ENQ_HEAD
#define SCX_ENQ_PREEMPT __SCX_ENQ_PREEMPT
#define SCX_ENQ_REENQ __SCX_ENQ_REENQ
#define SCX_ENQ_LAST __SCX_ENQ_LAST
#define SCX_ENQ_CPU_SELECTED __SCX_ENQ_CPU_SELECTED
#define SCX_ENQ_IMMED __SCX_ENQ_IMMED

SCHEDCP_ENUM(SCX_DEQ_SLEEP);
#define SCX_DEQ_SLEEP __SCX_DEQ_SLEEP

SCHEDCP_ENUM(SCX_WAKE_SYNC);
#define SCX_WAKE_SYNC __SCX_WAKE_SYNC

SCHEDCP_ENUM(SCX_PICK_IDLE_CORE);
#define SCX_PICK_IDLE_CORE __SCX_PICK_IDLE_CORE

SCHEDCP_ENUM(SCX_KICK_IDLE);
SCHEDCP_ENUM(SCX_KICK_PREEMPT);
#define SCX_KICK_IDLE __SCX_KICK_IDLE
#define SCX_KICK_PREEMPT __SCX_KICK_PREEMPT

/* In p->scx.flags: the task is runnable under sched_ext. */
SCHEDCP_ENUM(SCX_TASK_QUEUED);
#define SCX_TASK_QUEUED __SCX_TASK_QUEUED

#endif
