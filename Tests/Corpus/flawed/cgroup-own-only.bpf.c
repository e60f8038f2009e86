// SPDX-License-Identifier: GPL-2.0-only
/* A CPU serves only the cgroup of the task that ran before, so that the others' tasks wait for ever. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 16

struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) __ksym;
void bpf_cgroup_release(struct cgroup *cgroup) __ksym;

s32 BPF_STRUCT_OPS(cgroup_own_only_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
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

void BPF_STRUCT_OPS(cgroup_own_only_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW starvation dynamic */
	dsq_insert(p, queue_of(p) & (QUEUES - 1), SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(cgroup_own_only_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 own = prev ? queue_of(prev) : cpu, i;

	if (prev && scx_bpf_dsq_nr_queued(own & (QUEUES - 1))) {
		dsq_move_to_local(own & (QUEUES - 1), 0);
		return;
	}
	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((own + i) & (QUEUES - 1), 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroup_own_only_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(cgroup_own_only_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(cgroup_own_only_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(cgroup_own_only_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cgroup_own_only_ops,
	  .select_cpu = (void *)cgroup_own_only_select_cpu,
	  .enqueue = (void *)cgroup_own_only_enqueue,
	  .dispatch = (void *)cgroup_own_only_dispatch,
	  .cpu_online = (void *)cgroup_own_only_cpu_online,
	  .cpu_offline = (void *)cgroup_own_only_cpu_offline,
	  .init = (void *)cgroup_own_only_init,
	  .exit = (void *)cgroup_own_only_exit,
	  .timeout_ms = 10000,
	  .name = "cgroup_own_only");
