// SPDX-License-Identifier: GPL-2.0-only
/* Stops a process that has run too long with a signal. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(capability_signals_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(capability_signals_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(capability_signals_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

#define SIGSTOP 19

void BPF_STRUCT_OPS(capability_signals_tick, struct task_struct *p)
{
	if (p->se.sum_exec_runtime > 3600 * NSEC_PER_SEC)
		/* FLAW capabilities static */
		bpf_send_signal(SIGSTOP);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(capability_signals_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(capability_signals_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(capability_signals_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(capability_signals_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(capability_signals_ops,
	  .select_cpu = (void *)capability_signals_select_cpu,
	  .enqueue = (void *)capability_signals_enqueue,
	  .dispatch = (void *)capability_signals_dispatch,
	  .tick = (void *)capability_signals_tick,
	  .cpu_online = (void *)capability_signals_cpu_online,
	  .cpu_offline = (void *)capability_signals_cpu_offline,
	  .init = (void *)capability_signals_init,
	  .exit = (void *)capability_signals_exit,
	  .timeout_ms = 10000,
	  .name = "capability_signals");
