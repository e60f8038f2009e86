// SPDX-License-Identifier: GPL-2.0-only
/* A slice in whole seconds, of which twenty milliseconds are none. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u32 slice_ms = 20;

#define QUEUE 0

s32 BPF_STRUCT_OPS(slice_zero_by_unit_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

static u64 slice_ns(void)
{
	return slice_ms / 1000 * NSEC_PER_SEC;
}

void BPF_STRUCT_OPS(slice_zero_by_unit_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW slice static */
	dsq_insert(p, QUEUE, slice_ns(), enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(slice_zero_by_unit_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(slice_zero_by_unit_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(slice_zero_by_unit_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(slice_zero_by_unit_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(slice_zero_by_unit_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(slice_zero_by_unit_ops,
	  .select_cpu = (void *)slice_zero_by_unit_select_cpu,
	  .enqueue = (void *)slice_zero_by_unit_enqueue,
	  .dispatch = (void *)slice_zero_by_unit_dispatch,
	  .cpu_online = (void *)slice_zero_by_unit_cpu_online,
	  .cpu_offline = (void *)slice_zero_by_unit_cpu_offline,
	  .init = (void *)slice_zero_by_unit_init,
	  .exit = (void *)slice_zero_by_unit_exit,
	  .timeout_ms = 10000,
	  .name = "slice_zero_by_unit");
