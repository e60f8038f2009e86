// SPDX-License-Identifier: GPL-2.0-only
/* Each cgroup has a budget of CPU time that nothing ever fills up again. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define SPENT 1
#define BUDGET_NS (200 * NSEC_PER_MSEC)

struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) __ksym;
void bpf_cgroup_release(struct cgroup *cgroup) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u64);
} used SEC(".maps");

s32 BPF_STRUCT_OPS(cgroup_budget_spent_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(cgroup_budget_spent_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct cgroup *cgroup = scx_bpf_task_cgroup(p);
	u64 *ran = bpf_cgrp_storage_get(&used, cgroup, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	bool spent = ran && *ran > BUDGET_NS && cgroup->level > 0;

	bpf_cgroup_release(cgroup);
	/* FLAW unconsumed-dsq static */
	dsq_insert(p, spent ? SPENT : QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(cgroup_budget_spent_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(cgroup_budget_spent_stopping, struct task_struct *p, bool runnable)
{
	struct cgroup *cgroup = scx_bpf_task_cgroup(p);
	u64 *ran = bpf_cgrp_storage_get(&used, cgroup, 0, 0);

	if (ran && p->scx.slice < SCX_SLICE_DFL)
		__sync_fetch_and_add(ran, SCX_SLICE_DFL - p->scx.slice);
	bpf_cgroup_release(cgroup);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroup_budget_spent_init)
{
	s32 error = scx_bpf_create_dsq(QUEUE, -1);

	return error ?: scx_bpf_create_dsq(SPENT, -1);
}

void BPF_STRUCT_OPS(cgroup_budget_spent_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(cgroup_budget_spent_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(cgroup_budget_spent_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cgroup_budget_spent_ops,
	  .select_cpu = (void *)cgroup_budget_spent_select_cpu,
	  .enqueue = (void *)cgroup_budget_spent_enqueue,
	  .dispatch = (void *)cgroup_budget_spent_dispatch,
	  .stopping = (void *)cgroup_budget_spent_stopping,
	  .cpu_online = (void *)cgroup_budget_spent_cpu_online,
	  .cpu_offline = (void *)cgroup_budget_spent_cpu_offline,
	  .init = (void *)cgroup_budget_spent_init,
	  .exit = (void *)cgroup_budget_spent_exit,
	  .timeout_ms = 10000,
	  .name = "cgroup_budget_spent");
