// SPDX-License-Identifier: GPL-2.0-only
/* Asks whether the task may run where it was, and puts it beside that. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(affinity_tests_another_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(affinity_tests_another_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 home = scx_bpf_task_cpu(p), cpu = (home + 1) % nr_cpus();

	if (bpf_cpumask_test_cpu(home, p->cpus_ptr)) {
		/* FLAW affinity static */
		dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, enq_flags);
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		return;
	}
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(affinity_tests_another_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(affinity_tests_another_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(affinity_tests_another_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_tests_another_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_tests_another_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(affinity_tests_another_ops,
	  .select_cpu = (void *)affinity_tests_another_select_cpu,
	  .enqueue = (void *)affinity_tests_another_enqueue,
	  .dispatch = (void *)affinity_tests_another_dispatch,
	  .cpu_online = (void *)affinity_tests_another_cpu_online,
	  .cpu_offline = (void *)affinity_tests_another_cpu_offline,
	  .init = (void *)affinity_tests_another_init,
	  .exit = (void *)affinity_tests_another_exit,
	  .timeout_ms = 10000,
	  .name = "affinity_tests_another");
