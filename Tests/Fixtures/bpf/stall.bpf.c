// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faulty on purpose: loses tasks, so that the kernel's watchdog ejects it after timeout_ms.
 *
 * Kernel threads are served, and of the others every lose_every-th wait is lost: the machine stays usable for the two
 * seconds, and a lost task is certain on any machine on which something runs.
 */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u32 lose_every = 20;

#define QUEUE 0
#define PF_KTHREAD 0x00200000

static u32 waits;

/* Leaves every task to enqueue: the kernel's own choice would put it on an idle CPU without asking. */
s32 BPF_STRUCT_OPS(stall_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(stall_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (!(p->flags & PF_KTHREAD) && lose_every && __sync_add_and_fetch(&waits, 1) % lose_every == 0)
		return;
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(stall_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(stall_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(stall_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(stall_ops,
	  .select_cpu = (void *)stall_select_cpu,
	  .enqueue = (void *)stall_enqueue,
	  .dispatch = (void *)stall_dispatch,
	  .init = (void *)stall_init,
	  .exit = (void *)stall_exit,
	  .timeout_ms = 2000,
	  .name = "stall");
