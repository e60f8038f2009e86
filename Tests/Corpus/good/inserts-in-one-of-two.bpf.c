// SPDX-License-Identifier: GPL-2.0-only
/* Two insertions one after the other, of which exactly one is reached. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define PF_KTHREAD 0x00200000

s32 BPF_STRUCT_OPS(inserts_in_one_of_two_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static bool placed_directly(struct task_struct *p, u64 enq_flags)
{
	if (!(p->flags & PF_KTHREAD) || p->nr_cpus_allowed != 1)
		return false;
	/* It may run on one CPU only, and this is that CPU's own queue. */
	dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
	return true;
}

void BPF_STRUCT_OPS(inserts_in_one_of_two_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (placed_directly(p, enq_flags))
		return;
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(inserts_in_one_of_two_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(inserts_in_one_of_two_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(inserts_in_one_of_two_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(inserts_in_one_of_two_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(inserts_in_one_of_two_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(inserts_in_one_of_two_ops,
	  .select_cpu = (void *)inserts_in_one_of_two_select_cpu,
	  .enqueue = (void *)inserts_in_one_of_two_enqueue,
	  .dispatch = (void *)inserts_in_one_of_two_dispatch,
	  .cpu_online = (void *)inserts_in_one_of_two_cpu_online,
	  .cpu_offline = (void *)inserts_in_one_of_two_cpu_offline,
	  .init = (void *)inserts_in_one_of_two_init,
	  .exit = (void *)inserts_in_one_of_two_exit,
	  .timeout_ms = 10000,
	  .name = "inserts_in_one_of_two");
