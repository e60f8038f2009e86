// SPDX-License-Identifier: GPL-2.0-only
/* Looks at every CPU for every other CPU and every queue at each wakeup. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 64

s32 BPF_STRUCT_OPS(work_nested_loops_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(work_nested_loops_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 best = 0, least = -1U, a, b, c;

	/* FLAW unbounded-work static */
	bpf_for(a, 0, SCHEDCP_MAX_CPUS) {
		bpf_for(b, 0, SCHEDCP_MAX_CPUS) {
			bpf_for(c, 0, QUEUES) {
				u32 queued = scx_bpf_dsq_nr_queued(c) + ((a ^ b) & 1);

				if (queued < least) {
					least = queued;
					best = c;
				}
			}
		}
	}
	dsq_insert(p, best & (QUEUES - 1), SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(work_nested_loops_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(work_nested_loops_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(work_nested_loops_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(work_nested_loops_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(work_nested_loops_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(work_nested_loops_ops,
	  .select_cpu = (void *)work_nested_loops_select_cpu,
	  .enqueue = (void *)work_nested_loops_enqueue,
	  .dispatch = (void *)work_nested_loops_dispatch,
	  .cpu_online = (void *)work_nested_loops_cpu_online,
	  .cpu_offline = (void *)work_nested_loops_cpu_offline,
	  .init = (void *)work_nested_loops_init,
	  .exit = (void *)work_nested_loops_exit,
	  .timeout_ms = 10000,
	  .name = "work_nested_loops");
