// SPDX-License-Identifier: GPL-2.0-only
/* One queue by virtual time and one by arrival, never mixed; they take turns. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define ORDERED 0
#define ARRIVALS 1
#define PF_KTHREAD 0x00200000

s32 BPF_STRUCT_OPS(two_orders_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(two_orders_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->flags & PF_KTHREAD)
		dsq_insert(p, ARRIVALS, SCX_SLICE_DFL, enq_flags);
	else
		dsq_insert_ordered(p, ORDERED, SCX_SLICE_DFL, clock_now(), enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turns;

void BPF_STRUCT_OPS(two_orders_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 first = __sync_add_and_fetch(&turns, 1) % 4 ? ARRIVALS : ORDERED;

	if (!dsq_move_to_local(first, 0))
		dsq_move_to_local(first == ORDERED ? ARRIVALS : ORDERED, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(two_orders_init)
{
	s32 error = scx_bpf_create_dsq(ORDERED, -1);

	return error ?: scx_bpf_create_dsq(ARRIVALS, -1);
}

void BPF_STRUCT_OPS(two_orders_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(two_orders_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(two_orders_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(two_orders_ops,
	  .select_cpu = (void *)two_orders_select_cpu,
	  .enqueue = (void *)two_orders_enqueue,
	  .dispatch = (void *)two_orders_dispatch,
	  .cpu_online = (void *)two_orders_cpu_online,
	  .cpu_offline = (void *)two_orders_cpu_offline,
	  .init = (void *)two_orders_init,
	  .exit = (void *)two_orders_exit,
	  .timeout_ms = 10000,
	  .name = "two_orders");
