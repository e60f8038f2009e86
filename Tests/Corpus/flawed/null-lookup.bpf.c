// SPDX-License-Identifier: GPL-2.0-only
/* Follows the result of a look-up without asking whether there is one. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct task_state {
	u64 slice;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

s32 BPF_STRUCT_OPS(null_lookup_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(null_lookup_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	/* FLAW maybe-null static */
	state->slice = slice_among(SCX_SLICE_DFL, scx_bpf_dsq_nr_queued(QUEUE));
	dsq_insert(p, QUEUE, state->slice, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(null_lookup_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(null_lookup_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	if (!bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE))
		return -ENOMEM;
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(null_lookup_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(null_lookup_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(null_lookup_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(null_lookup_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(null_lookup_ops,
	  .select_cpu = (void *)null_lookup_select_cpu,
	  .enqueue = (void *)null_lookup_enqueue,
	  .dispatch = (void *)null_lookup_dispatch,
	  .init_task = (void *)null_lookup_init_task,
	  .cpu_online = (void *)null_lookup_cpu_online,
	  .cpu_offline = (void *)null_lookup_cpu_offline,
	  .init = (void *)null_lookup_init,
	  .exit = (void *)null_lookup_exit,
	  .timeout_ms = 10000,
	  .name = "null_lookup");
