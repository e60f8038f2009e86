// SPDX-License-Identifier: GPL-2.0-only
/* The number of the queue has the bit that marks the kernel's own queues. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE (1ULL << 63 | 5)

s32 BPF_STRUCT_OPS(dsq_id_reserved_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_id_reserved_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(dsq_id_reserved_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_id_reserved_init)
{
	/* FLAW dsq-id-range static */
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(dsq_id_reserved_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_id_reserved_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_id_reserved_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_id_reserved_ops,
	  .select_cpu = (void *)dsq_id_reserved_select_cpu,
	  .enqueue = (void *)dsq_id_reserved_enqueue,
	  .dispatch = (void *)dsq_id_reserved_dispatch,
	  .cpu_online = (void *)dsq_id_reserved_cpu_online,
	  .cpu_offline = (void *)dsq_id_reserved_cpu_offline,
	  .init = (void *)dsq_id_reserved_init,
	  .exit = (void *)dsq_id_reserved_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_id_reserved");
