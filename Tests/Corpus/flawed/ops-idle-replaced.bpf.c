// SPDX-License-Identifier: GPL-2.0-only
/* Takes the tracking of idle CPUs over with update_idle, and asks the kernel for idle CPUs all the same. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(ops_idle_replaced_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(ops_idle_replaced_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu;

	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	/* FLAW ops-flags static */
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(ops_idle_replaced_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

static u64 changes;

void BPF_STRUCT_OPS(ops_idle_replaced_update_idle, s32 cpu, bool idle)
{
	__sync_fetch_and_add(&changes, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ops_idle_replaced_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(ops_idle_replaced_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_idle_replaced_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_idle_replaced_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ops_idle_replaced_ops,
	  .select_cpu = (void *)ops_idle_replaced_select_cpu,
	  .enqueue = (void *)ops_idle_replaced_enqueue,
	  .dispatch = (void *)ops_idle_replaced_dispatch,
	  .update_idle = (void *)ops_idle_replaced_update_idle,
	  .cpu_online = (void *)ops_idle_replaced_cpu_online,
	  .cpu_offline = (void *)ops_idle_replaced_cpu_offline,
	  .init = (void *)ops_idle_replaced_init,
	  .exit = (void *)ops_idle_replaced_exit,
	  .timeout_ms = 10000,
	  .name = "ops_idle_replaced");
