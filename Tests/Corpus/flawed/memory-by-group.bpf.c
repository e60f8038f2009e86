// SPDX-License-Identifier: GPL-2.0-only
/* A record for each process at its first thread, never deleted; a full table ends the scheduler. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, s32);
	__type(value, u64);
} processes SEC(".maps");

s32 BPF_STRUCT_OPS(memory_by_group_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(memory_by_group_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(memory_by_group_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

static __noinline int remember(s32 tgid)
{
	u64 since = clock_now();

	/* FLAW growing-map static */
	return bpf_map_update_elem(&processes, &tgid, &since, BPF_NOEXIST);
}

void BPF_STRUCT_OPS(memory_by_group_enable, struct task_struct *p)
{
	s32 tgid = p->tgid;

	if (!bpf_map_lookup_elem(&processes, &tgid) && remember(tgid))
		scheduler_error("no room for process %d", tgid);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_by_group_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(memory_by_group_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_by_group_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_by_group_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(memory_by_group_ops,
	  .select_cpu = (void *)memory_by_group_select_cpu,
	  .enqueue = (void *)memory_by_group_enqueue,
	  .dispatch = (void *)memory_by_group_dispatch,
	  .enable = (void *)memory_by_group_enable,
	  .cpu_online = (void *)memory_by_group_cpu_online,
	  .cpu_offline = (void *)memory_by_group_cpu_offline,
	  .init = (void *)memory_by_group_init,
	  .exit = (void *)memory_by_group_exit,
	  .timeout_ms = 10000,
	  .name = "memory_by_group");
