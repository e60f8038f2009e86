// SPDX-License-Identifier: GPL-2.0-only
/* Remembers processes in a table that forgets the oldest by itself. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, s32);
	__type(value, u64);
} recent SEC(".maps");

s32 BPF_STRUCT_OPS(recent_in_lru_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(recent_in_lru_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 now = clock_now(), slice = SCX_SLICE_DFL, *last;
	s32 tgid = p->tgid;

	last = bpf_map_lookup_elem(&recent, &tgid);
	if (last && now - *last < NSEC_PER_MSEC)
		slice /= 2;
	bpf_map_update_elem(&recent, &tgid, &now, BPF_ANY);
	dsq_insert(p, QUEUE, slice, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(recent_in_lru_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(recent_in_lru_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(recent_in_lru_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(recent_in_lru_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(recent_in_lru_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(recent_in_lru_ops,
	  .select_cpu = (void *)recent_in_lru_select_cpu,
	  .enqueue = (void *)recent_in_lru_enqueue,
	  .dispatch = (void *)recent_in_lru_dispatch,
	  .cpu_online = (void *)recent_in_lru_cpu_online,
	  .cpu_offline = (void *)recent_in_lru_cpu_offline,
	  .init = (void *)recent_in_lru_init,
	  .exit = (void *)recent_in_lru_exit,
	  .timeout_ms = 10000,
	  .name = "recent_in_lru");
