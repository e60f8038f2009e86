// SPDX-License-Identifier: GPL-2.0-only
/* Last come, first served: whoever waits is overtaken by each newcomer. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(starve_newest_first_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(starve_newest_first_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW starvation dynamic */
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags | SCX_ENQ_HEAD);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(starve_newest_first_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(starve_newest_first_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(starve_newest_first_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_newest_first_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_newest_first_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(starve_newest_first_ops,
	  .select_cpu = (void *)starve_newest_first_select_cpu,
	  .enqueue = (void *)starve_newest_first_enqueue,
	  .dispatch = (void *)starve_newest_first_dispatch,
	  .cpu_online = (void *)starve_newest_first_cpu_online,
	  .cpu_offline = (void *)starve_newest_first_cpu_offline,
	  .init = (void *)starve_newest_first_init,
	  .exit = (void *)starve_newest_first_exit,
	  .timeout_ms = 10000,
	  .name = "starve_newest_first");
