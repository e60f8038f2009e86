// SPDX-License-Identifier: GPL-2.0-only
/* Sixteen queues that cgroups share by their id, served in turn. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 16

struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) __ksym;
void bpf_cgroup_release(struct cgroup *cgroup) __ksym;

s32 BPF_STRUCT_OPS(queue_of_cgroup_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static __noinline u32 queue_of(struct task_struct *p)
{
	struct cgroup *cgroup = scx_bpf_task_cgroup(p);
	u32 queue = cgroup->kn->id % QUEUES;

	bpf_cgroup_release(cgroup);
	return queue;
}

void BPF_STRUCT_OPS(queue_of_cgroup_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, queue_of(p) & (QUEUES - 1), SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(queue_of_cgroup_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(queue_of_cgroup_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(queue_of_cgroup_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(queue_of_cgroup_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(queue_of_cgroup_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(queue_of_cgroup_ops,
	  .select_cpu = (void *)queue_of_cgroup_select_cpu,
	  .enqueue = (void *)queue_of_cgroup_enqueue,
	  .dispatch = (void *)queue_of_cgroup_dispatch,
	  .cpu_online = (void *)queue_of_cgroup_cpu_online,
	  .cpu_offline = (void *)queue_of_cgroup_cpu_offline,
	  .init = (void *)queue_of_cgroup_init,
	  .exit = (void *)queue_of_cgroup_exit,
	  .timeout_ms = 10000,
	  .name = "queue_of_cgroup");
