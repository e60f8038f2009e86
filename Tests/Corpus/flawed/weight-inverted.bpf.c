// SPDX-License-Identifier: GPL-2.0-only
/* Virtual time that runs faster for heavy tasks than for light ones. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

#define WEIGHT_NICE_0 100

static u64 clock;

s32 BPF_STRUCT_OPS(weight_inverted_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(weight_inverted_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 place = later(p->scx.dsq_vtime, clock - SCX_SLICE_DFL);

	dsq_insert_ordered(p, QUEUE, SCX_SLICE_DFL, place, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(weight_inverted_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(weight_inverted_running, struct task_struct *p)
{
	clock = later(clock, p->scx.dsq_vtime);
}

void BPF_STRUCT_OPS(weight_inverted_stopping, struct task_struct *p, bool runnable)
{
	u64 used = SCX_SLICE_DFL > p->scx.slice ? SCX_SLICE_DFL - p->scx.slice : 0;

	/* FLAW fairness dynamic */
	task_set_vtime(p, p->scx.dsq_vtime + used * p->scx.weight / WEIGHT_NICE_0);
}

void BPF_STRUCT_OPS(weight_inverted_enable, struct task_struct *p)
{
	task_set_vtime(p, clock);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(weight_inverted_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(weight_inverted_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(weight_inverted_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(weight_inverted_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(weight_inverted_ops,
	  .select_cpu = (void *)weight_inverted_select_cpu,
	  .enqueue = (void *)weight_inverted_enqueue,
	  .dispatch = (void *)weight_inverted_dispatch,
	  .running = (void *)weight_inverted_running,
	  .stopping = (void *)weight_inverted_stopping,
	  .enable = (void *)weight_inverted_enable,
	  .cpu_online = (void *)weight_inverted_cpu_online,
	  .cpu_offline = (void *)weight_inverted_cpu_offline,
	  .init = (void *)weight_inverted_init,
	  .exit = (void *)weight_inverted_exit,
	  .timeout_ms = 10000,
	  .name = "weight_inverted");
