// SPDX-License-Identifier: GPL-2.0-only
/* Chooses from the queue the first task that last ran on this CPU and moves it itself; else the queue's first. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 dsq_id, u64 enq_flags) __ksym;

s32 BPF_STRUCT_OPS(moves_by_iterator_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(moves_by_iterator_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(moves_by_iterator_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	int seen = 0;

	/* Every other time the first of the queue goes first, so that nobody is passed over for ever. */
	if (__sync_add_and_fetch(&turn, 1) % 2) {
		bpf_for_each(scx_dsq, p, QUEUE, 0) {
			if (++seen > 8)
				break;
			if (scx_bpf_task_cpu(p) == cpu && bpf_cpumask_test_cpu(cpu, p->cpus_ptr) &&
			    scx_bpf_dsq_move(&___it, p, SCX_DSQ_LOCAL, 0))
				return;
		}
	}
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(moves_by_iterator_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(moves_by_iterator_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(moves_by_iterator_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(moves_by_iterator_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(moves_by_iterator_ops,
	  .select_cpu = (void *)moves_by_iterator_select_cpu,
	  .enqueue = (void *)moves_by_iterator_enqueue,
	  .dispatch = (void *)moves_by_iterator_dispatch,
	  .cpu_online = (void *)moves_by_iterator_cpu_online,
	  .cpu_offline = (void *)moves_by_iterator_cpu_offline,
	  .init = (void *)moves_by_iterator_init,
	  .exit = (void *)moves_by_iterator_exit,
	  .timeout_ms = 10000,
	  .name = "moves_by_iterator");
