// SPDX-License-Identifier: GPL-2.0-only
/* Sends tasks to named CPUs, each after a look at the CPUs that the task may use. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(local_on_tested_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(local_on_tested_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);

	/* Only a hint which CPU to wake: the queue is served by all of them, and the mask may change meanwhile. */
	if (cpu >= 0 && cpu < (s32)nr_cpus() && p->nr_cpus_allowed > 1 && !p->migration_disabled &&
	    bpf_cpumask_test_cpu(cpu, p->cpus_ptr)) {
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		return;
	}
	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(local_on_tested_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(local_on_tested_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(local_on_tested_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(local_on_tested_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(local_on_tested_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(local_on_tested_ops,
	  .select_cpu = (void *)local_on_tested_select_cpu,
	  .enqueue = (void *)local_on_tested_enqueue,
	  .dispatch = (void *)local_on_tested_dispatch,
	  .cpu_online = (void *)local_on_tested_cpu_online,
	  .cpu_offline = (void *)local_on_tested_cpu_offline,
	  .init = (void *)local_on_tested_init,
	  .exit = (void *)local_on_tested_exit,
	  .timeout_ms = 10000,
	  .name = "local_on_tested");
