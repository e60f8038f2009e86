// SPDX-License-Identifier: GPL-2.0-only
/* Picks an idle CPU among all that are online and not among those that the task may use. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(affinity_other_mask_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

static __noinline s32 idle_cpu(void)
{
	const struct cpumask *online = scx_bpf_get_online_cpumask();
	s32 cpu = scx_bpf_pick_idle_cpu(online, 0);

	scx_bpf_put_cpumask(online);
	return cpu;
}

void BPF_STRUCT_OPS(affinity_other_mask_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu = idle_cpu();

	if (cpu >= 0) {
		/* FLAW affinity static */
		dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, enq_flags);
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		return;
	}
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(affinity_other_mask_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(affinity_other_mask_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(affinity_other_mask_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_other_mask_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_other_mask_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(affinity_other_mask_ops,
	  .select_cpu = (void *)affinity_other_mask_select_cpu,
	  .enqueue = (void *)affinity_other_mask_enqueue,
	  .dispatch = (void *)affinity_other_mask_dispatch,
	  .cpu_online = (void *)affinity_other_mask_cpu_online,
	  .cpu_offline = (void *)affinity_other_mask_cpu_offline,
	  .init = (void *)affinity_other_mask_init,
	  .exit = (void *)affinity_other_mask_exit,
	  .timeout_ms = 10000,
	  .name = "affinity_other_mask");
