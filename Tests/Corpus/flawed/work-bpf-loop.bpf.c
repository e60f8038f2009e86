// SPDX-License-Identifier: GPL-2.0-only
/* A search of up to eight million steps with interrupts off, at each dispatch. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define STEPS (1 << 23)

static u64 slots[4096];

s32 BPF_STRUCT_OPS(work_bpf_loop_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(work_bpf_loop_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static int search(u32 index, u64 *wanted)
{
	if (slots[index & 4095] != *wanted)
		return 0;
	*wanted = index;
	return 1;
}

void BPF_STRUCT_OPS(work_bpf_loop_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 wanted = clock_now();

	/* FLAW unbounded-work static */
	bpf_loop(STEPS, search, &wanted, 0);
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(work_bpf_loop_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(work_bpf_loop_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(work_bpf_loop_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(work_bpf_loop_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(work_bpf_loop_ops,
	  .select_cpu = (void *)work_bpf_loop_select_cpu,
	  .enqueue = (void *)work_bpf_loop_enqueue,
	  .dispatch = (void *)work_bpf_loop_dispatch,
	  .cpu_online = (void *)work_bpf_loop_cpu_online,
	  .cpu_offline = (void *)work_bpf_loop_cpu_offline,
	  .init = (void *)work_bpf_loop_init,
	  .exit = (void *)work_bpf_loop_exit,
	  .timeout_ms = 10000,
	  .name = "work_bpf_loop");
