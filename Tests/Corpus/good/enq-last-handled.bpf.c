// SPDX-License-Identifier: GPL-2.0-only
/* Is told of the last task on a CPU, and queues it like any other. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(enq_last_handled_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(enq_last_handled_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (enq_flags & SCX_ENQ_LAST) {
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
		return;
	}
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(enq_last_handled_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(enq_last_handled_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(enq_last_handled_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(enq_last_handled_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(enq_last_handled_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(enq_last_handled_ops,
	  .select_cpu = (void *)enq_last_handled_select_cpu,
	  .enqueue = (void *)enq_last_handled_enqueue,
	  .dispatch = (void *)enq_last_handled_dispatch,
	  .cpu_online = (void *)enq_last_handled_cpu_online,
	  .cpu_offline = (void *)enq_last_handled_cpu_offline,
	  .init = (void *)enq_last_handled_init,
	  .exit = (void *)enq_last_handled_exit,
	  .flags = 1ULL << 1, /* SCX_OPS_ENQ_LAST */
	  .timeout_ms = 10000,
	  .name = "enq_last_handled");
