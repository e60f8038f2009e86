// SPDX-License-Identifier: GPL-2.0-only
/* Everything runs on CPU 0 while it can, and only what cannot is served elsewhere. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(kick_first_cpu_only_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(kick_first_cpu_only_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	scx_bpf_kick_cpu(0, SCX_KICK_IDLE);
	if (!bpf_cpumask_test_cpu(0, p->cpus_ptr))
		wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(kick_first_cpu_only_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;

	if (cpu == 0) {
		dsq_move_to_local(QUEUE, 0);
		return;
	}
	/* FLAW work-conservation dynamic */
	bpf_for_each(scx_dsq, p, QUEUE, 0) {
		if (!bpf_cpumask_test_cpu(0, p->cpus_ptr))
			dsq_move_to_local(QUEUE, 0);
		break;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(kick_first_cpu_only_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(kick_first_cpu_only_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(kick_first_cpu_only_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(kick_first_cpu_only_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(kick_first_cpu_only_ops,
	  .select_cpu = (void *)kick_first_cpu_only_select_cpu,
	  .enqueue = (void *)kick_first_cpu_only_enqueue,
	  .dispatch = (void *)kick_first_cpu_only_dispatch,
	  .cpu_online = (void *)kick_first_cpu_only_cpu_online,
	  .cpu_offline = (void *)kick_first_cpu_only_cpu_offline,
	  .init = (void *)kick_first_cpu_only_init,
	  .exit = (void *)kick_first_cpu_only_exit,
	  .timeout_ms = 10000,
	  .name = "kick_first_cpu_only");
