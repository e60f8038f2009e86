// SPDX-License-Identifier: GPL-2.0-only
/* Knows no other cgroup than the one where a task began, and ends itself when one is moved. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(cgroup_move_refused_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(cgroup_move_refused_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(cgroup_move_refused_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(cgroup_move_refused_cgroup_move, struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	/* FLAW ejected dynamic */
	if (from != to)
		scheduler_error("task %d moved to a cgroup that is not known", p->pid);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroup_move_refused_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(cgroup_move_refused_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(cgroup_move_refused_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(cgroup_move_refused_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cgroup_move_refused_ops,
	  .select_cpu = (void *)cgroup_move_refused_select_cpu,
	  .enqueue = (void *)cgroup_move_refused_enqueue,
	  .dispatch = (void *)cgroup_move_refused_dispatch,
	  .cgroup_move = (void *)cgroup_move_refused_cgroup_move,
	  .cpu_online = (void *)cgroup_move_refused_cpu_online,
	  .cpu_offline = (void *)cgroup_move_refused_cpu_offline,
	  .init = (void *)cgroup_move_refused_init,
	  .exit = (void *)cgroup_move_refused_exit,
	  .timeout_ms = 10000,
	  .name = "cgroup_move_refused");
