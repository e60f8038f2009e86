/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's sched_ext functions, each under one name of ours whatever this kernel calls it.
 *
 * A function that 6.12 already has under the same name and signature is a strong reference. Every other one is weak and
 * is chosen at load by bpf_ksym_exists(), which the verifier sees as a constant, so that the branch for another kernel
 * is dead code. libbpf ignores the part of an extern's name after the last "___".
 *
 *   6.12   scx_bpf_dispatch, scx_bpf_dispatch_vtime, scx_bpf_consume
 *   6.13   renamed to scx_bpf_dsq_insert, scx_bpf_dsq_insert_vtime, scx_bpf_dsq_move_to_local
 *   6.14   scx_bpf_now
 *   6.19   scx_bpf_dsq_insert___v2 and __scx_bpf_dsq_insert_vtime, which report failure;
 *          scx_bpf_task_set_slice and scx_bpf_task_set_dsq_vtime in place of writes to the task
 *   7.1    scx_bpf_dsq_move_to_local___v2, which takes enqueue flags
 */
#ifndef SCHEDCP_KFUNCS_BPF_H
#define SCHEDCP_KFUNCS_BPF_H

/* vmlinux.h declares the kernel's functions with that one kernel's signatures: the declarations below are instead. */
#define BPF_NO_KFUNC_PROTOTYPES
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* In 6.12 and since. */
s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym;
s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *is_idle) __ksym;
s32 scx_bpf_pick_idle_cpu(const struct cpumask *allowed, u64 flags) __ksym;
void scx_bpf_kick_cpu(s32 cpu, u64 flags) __ksym;
s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
u32 scx_bpf_nr_cpu_ids(void) __ksym;
const struct cpumask *scx_bpf_get_online_cpumask(void) __ksym;
void scx_bpf_put_cpumask(const struct cpumask *mask) __ksym;
void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 data__sz) __ksym;
int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags) __ksym;
struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym;
void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym;
u32 bpf_cpumask_first(const struct cpumask *mask) __ksym;
bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *mask) __ksym;

/* Of some versions only. */
void scx_bpf_dispatch___v612(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
void scx_bpf_dsq_insert___v613(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
bool scx_bpf_dsq_insert___v2___v619(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;

void scx_bpf_dispatch_vtime___v612(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags) __ksym __weak;
void scx_bpf_dsq_insert_vtime___v613(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
				     u64 enq_flags) __ksym __weak;
bool __scx_bpf_dsq_insert_vtime(struct task_struct *p, struct scx_bpf_dsq_insert_vtime_args *args) __ksym __weak;

bool scx_bpf_consume___v612(u64 dsq_id) __ksym __weak;
bool scx_bpf_dsq_move_to_local___v613(u64 dsq_id) __ksym __weak;
bool scx_bpf_dsq_move_to_local___v2___v701(u64 dsq_id, u64 enq_flags) __ksym __weak;

bool scx_bpf_task_set_slice___v619(struct task_struct *p, u64 slice) __ksym __weak;
bool scx_bpf_task_set_dsq_vtime___v619(struct task_struct *p, u64 vtime) __ksym __weak;

u64 scx_bpf_now___v614(void) __ksym __weak;

/*
 * Macros and not functions: what is found at one of these (by the kernel's verifier, or by SchedCP's) is then shown at the
 * line of the scheduler that uses it, for line information knows nothing of inlining. Each argument is evaluated once.
 */

/* Puts a task at the end of a queue with a slice of its own, in ns. */
#define dsq_insert(task, id, ns, flags)                                                         \
	({                                                                                      \
		if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___v619))                            \
			scx_bpf_dsq_insert___v2___v619(task, id, ns, flags);                    \
		else if (bpf_ksym_exists(scx_bpf_dsq_insert___v613))                            \
			scx_bpf_dsq_insert___v613(task, id, ns, flags);                         \
		else                                                                            \
			scx_bpf_dispatch___v612(task, id, ns, flags);                           \
	})

/*
 * Puts a task into a queue in the order of `order`, smallest first; equal ones keep the order of insertion. The type is the
 * mark: an extern whose argument type the kernel lacks must not be called.
 */
#define dsq_insert_ordered(task, id, ns, order, flags)                                          \
	({                                                                                      \
		if (bpf_core_type_exists(struct scx_bpf_dsq_insert_vtime_args)) {               \
			struct scx_bpf_dsq_insert_vtime_args ___args = {                        \
				.dsq_id = id,                                                   \
				.slice = ns,                                                    \
				.vtime = order,                                                 \
				.enq_flags = flags,                                             \
			};                                                                      \
			__scx_bpf_dsq_insert_vtime(task, &___args);                             \
		} else if (bpf_ksym_exists(scx_bpf_dsq_insert_vtime___v613)) {                  \
			scx_bpf_dsq_insert_vtime___v613(task, id, ns, order, flags);            \
		} else {                                                                        \
			scx_bpf_dispatch_vtime___v612(task, id, ns, order, flags);              \
		}                                                                               \
	})

/* From dispatch: moves the first task that this CPU may run to this CPU's own queue; false when there is none. */
#define dsq_move_to_local(id, flags)                                                            \
	(bpf_ksym_exists(scx_bpf_dsq_move_to_local___v2___v701)                                 \
		 ? scx_bpf_dsq_move_to_local___v2___v701(id, flags)                             \
		 : bpf_ksym_exists(scx_bpf_dsq_move_to_local___v613)                            \
		 ? scx_bpf_dsq_move_to_local___v613(id)                                         \
		 : scx_bpf_consume___v612(id))

#define task_set_slice(task, ns)                                                                \
	({                                                                                      \
		if (bpf_ksym_exists(scx_bpf_task_set_slice___v619))                             \
			scx_bpf_task_set_slice___v619(task, ns);                                \
		else                                                                            \
			(task)->scx.slice = ns;                                                 \
	})

#define task_set_vtime(task, time)                                                              \
	({                                                                                      \
		if (bpf_ksym_exists(scx_bpf_task_set_dsq_vtime___v619))                         \
			scx_bpf_task_set_dsq_vtime___v619(task, time);                          \
		else                                                                            \
			(task)->scx.dsq_vtime = time;                                           \
	})

/* Monotonic time in ns; the run queue's own clock where the kernel offers it, which is cheaper. */
static __always_inline u64 clock_now(void)
{
	return bpf_ksym_exists(scx_bpf_now___v614) ? scx_bpf_now___v614() : bpf_ktime_get_ns();
}

#endif
