// SPDX-License-Identifier: GPL-2.0-only
/* Wants idle CPUs by node from the kernel, whose tracking of idle CPUs it has replaced. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(ops_idle_per_node_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(ops_idle_per_node_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(ops_idle_per_node_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(ops_idle_per_node_update_idle, s32 cpu, bool idle)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ops_idle_per_node_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(ops_idle_per_node_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_idle_per_node_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_idle_per_node_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ops_idle_per_node_ops,
	  .select_cpu = (void *)ops_idle_per_node_select_cpu,
	  .enqueue = (void *)ops_idle_per_node_enqueue,
	  .dispatch = (void *)ops_idle_per_node_dispatch,
	  .update_idle = (void *)ops_idle_per_node_update_idle,
	  .cpu_online = (void *)ops_idle_per_node_cpu_online,
	  .cpu_offline = (void *)ops_idle_per_node_cpu_offline,
	  .init = (void *)ops_idle_per_node_init,
	  .exit = (void *)ops_idle_per_node_exit,
	  /* FLAW ops-flags static */
	  .flags = 1ULL << 6, /* SCX_OPS_BUILTIN_IDLE_PER_NODE */
	  .timeout_ms = 10000,
	  .name = "ops_idle_per_node");
