// SPDX-License-Identifier: GPL-2.0-only
/* Slices without end, which the tick ends once somebody waits. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(infinite_with_tick_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_INF, 0);
	return cpu;
}

void BPF_STRUCT_OPS(infinite_with_tick_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_INF, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(infinite_with_tick_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

/* Called at every tick of a CPU that runs a task: whoever waits, waits no longer than until then. */
void BPF_STRUCT_OPS(infinite_with_tick_tick, struct task_struct *p)
{
	if (scx_bpf_dsq_nr_queued(QUEUE))
		task_set_slice(p, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(infinite_with_tick_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(infinite_with_tick_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(infinite_with_tick_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(infinite_with_tick_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(infinite_with_tick_ops,
	  .select_cpu = (void *)infinite_with_tick_select_cpu,
	  .enqueue = (void *)infinite_with_tick_enqueue,
	  .dispatch = (void *)infinite_with_tick_dispatch,
	  .tick = (void *)infinite_with_tick_tick,
	  .cpu_online = (void *)infinite_with_tick_cpu_online,
	  .cpu_offline = (void *)infinite_with_tick_cpu_offline,
	  .init = (void *)infinite_with_tick_init,
	  .exit = (void *)infinite_with_tick_exit,
	  .timeout_ms = 10000,
	  .name = "infinite_with_tick");
