// SPDX-License-Identifier: GPL-2.0-only
/* A queue for each CPU, chosen in turn; a task waits for ever in the queue of a CPU that it may not use. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

static u32 next;

s32 BPF_STRUCT_OPS(affinity_queue_of_cpu_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(affinity_queue_of_cpu_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 cpu = __sync_fetch_and_add(&next, 1) % nr_cpus();

	/* FLAW starvation dynamic */
	dsq_insert(p, cpu, SCX_SLICE_DFL, enq_flags);
	scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(affinity_queue_of_cpu_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(cpu, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(affinity_queue_of_cpu_init)
{
	u32 i;

	bpf_for(i, 0, nr_cpus()) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(affinity_queue_of_cpu_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_queue_of_cpu_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_queue_of_cpu_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(affinity_queue_of_cpu_ops,
	  .select_cpu = (void *)affinity_queue_of_cpu_select_cpu,
	  .enqueue = (void *)affinity_queue_of_cpu_enqueue,
	  .dispatch = (void *)affinity_queue_of_cpu_dispatch,
	  .cpu_online = (void *)affinity_queue_of_cpu_cpu_online,
	  .cpu_offline = (void *)affinity_queue_of_cpu_cpu_offline,
	  .init = (void *)affinity_queue_of_cpu_init,
	  .exit = (void *)affinity_queue_of_cpu_exit,
	  .timeout_ms = 10000,
	  .name = "affinity_queue_of_cpu");
