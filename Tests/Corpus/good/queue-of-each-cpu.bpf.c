// SPDX-License-Identifier: GPL-2.0-only
/* A queue for each possible CPU, made in a loop; a CPU without work takes it from the others. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

s32 BPF_STRUCT_OPS(queue_of_each_cpu_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(queue_of_each_cpu_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 cpu = (u32)scx_bpf_task_cpu(p) % nr_cpus();

	dsq_insert(p, cpu, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(queue_of_each_cpu_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 nr = nr_cpus(), i, start = cpu;

	/* Every fourth time somebody else's queue comes first: a task whose CPU is busy or gone is not forgotten. */
	if (__sync_add_and_fetch(&turn, 1) % 4 == 0)
		start = turn / 4;
	bpf_for(i, 0, nr) {
		if (dsq_move_to_local((start + i) % nr, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(queue_of_each_cpu_init)
{
	u32 i;

	bpf_for(i, 0, nr_cpus()) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(queue_of_each_cpu_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(queue_of_each_cpu_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(queue_of_each_cpu_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(queue_of_each_cpu_ops,
	  .select_cpu = (void *)queue_of_each_cpu_select_cpu,
	  .enqueue = (void *)queue_of_each_cpu_enqueue,
	  .dispatch = (void *)queue_of_each_cpu_dispatch,
	  .cpu_online = (void *)queue_of_each_cpu_cpu_online,
	  .cpu_offline = (void *)queue_of_each_cpu_cpu_offline,
	  .init = (void *)queue_of_each_cpu_init,
	  .exit = (void *)queue_of_each_cpu_exit,
	  .timeout_ms = 10000,
	  .name = "queue_of_each_cpu");
