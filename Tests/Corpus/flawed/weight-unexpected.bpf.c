// SPDX-License-Identifier: GPL-2.0-only
/* Holds a weight that it has not seen before for an error. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(weight_unexpected_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(weight_unexpected_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	/* FLAW ejected dynamic */
	if (p->scx.weight < 20)
		scheduler_error("task %d has a weight of %d", p->pid, p->scx.weight);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(weight_unexpected_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(weight_unexpected_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(weight_unexpected_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(weight_unexpected_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(weight_unexpected_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(weight_unexpected_ops,
	  .select_cpu = (void *)weight_unexpected_select_cpu,
	  .enqueue = (void *)weight_unexpected_enqueue,
	  .dispatch = (void *)weight_unexpected_dispatch,
	  .cpu_online = (void *)weight_unexpected_cpu_online,
	  .cpu_offline = (void *)weight_unexpected_cpu_offline,
	  .init = (void *)weight_unexpected_init,
	  .exit = (void *)weight_unexpected_exit,
	  .timeout_ms = 10000,
	  .name = "weight_unexpected");
