// SPDX-License-Identifier: GPL-2.0-only
/* One CPU hands tasks out to the others, without a look at where they may run. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8192);
	__type(value, s32);
} waiting SEC(".maps");

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

s32 BPF_STRUCT_OPS(affinity_central_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(affinity_central_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if (bpf_map_push_elem(&waiting, &pid, 0))
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_IDLE);
}

static u32 target;

void BPF_STRUCT_OPS(affinity_central_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	bpf_for(i, 0, 4) {
		u32 where = __sync_fetch_and_add(&target, 1) % nr_cpus();
		struct task_struct *p;
		s32 pid;

		if (bpf_map_pop_elem(&waiting, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		/* FLAW affinity static */
		dsq_insert(p, SCX_DSQ_LOCAL_ON | where, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
		scx_bpf_kick_cpu(where, SCX_KICK_IDLE);
	}
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(affinity_central_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(affinity_central_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_central_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_central_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(affinity_central_ops,
	  .select_cpu = (void *)affinity_central_select_cpu,
	  .enqueue = (void *)affinity_central_enqueue,
	  .dispatch = (void *)affinity_central_dispatch,
	  .cpu_online = (void *)affinity_central_cpu_online,
	  .cpu_offline = (void *)affinity_central_cpu_offline,
	  .init = (void *)affinity_central_init,
	  .exit = (void *)affinity_central_exit,
	  .dispatch_max_batch = 8,
	  .timeout_ms = 10000,
	  .name = "affinity_central");
