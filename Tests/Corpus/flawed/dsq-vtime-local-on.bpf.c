// SPDX-License-Identifier: GPL-2.0-only
/* An ordered insertion into the queue of the CPU where the task ran last. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(dsq_vtime_local_on_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

static __noinline int place(struct task_struct *p, u64 enq_flags)
{
	s32 cpu = scx_bpf_task_cpu(p);

	if (cpu < 0 || !bpf_cpumask_test_cpu(cpu, p->cpus_ptr) || !(enq_flags & SCX_ENQ_WAKEUP))
		return 0;
	/* FLAW vtime-builtin static */
	dsq_insert_ordered(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, clock_now(), enq_flags);
	return 1;
}

void BPF_STRUCT_OPS(dsq_vtime_local_on_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (!place(p, enq_flags))
		dsq_insert_ordered(p, QUEUE, SCX_SLICE_DFL, clock_now(), enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(dsq_vtime_local_on_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_vtime_local_on_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(dsq_vtime_local_on_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_vtime_local_on_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_vtime_local_on_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_vtime_local_on_ops,
	  .select_cpu = (void *)dsq_vtime_local_on_select_cpu,
	  .enqueue = (void *)dsq_vtime_local_on_enqueue,
	  .dispatch = (void *)dsq_vtime_local_on_dispatch,
	  .cpu_online = (void *)dsq_vtime_local_on_cpu_online,
	  .cpu_offline = (void *)dsq_vtime_local_on_cpu_offline,
	  .init = (void *)dsq_vtime_local_on_init,
	  .exit = (void *)dsq_vtime_local_on_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_vtime_local_on");
