// SPDX-License-Identifier: GPL-2.0-only
/* Under memory pressure the record of a task is missing, and only then is it inserted twice. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct task_state {
	u64 inserted;
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

s32 BPF_STRUCT_OPS(double_rare_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(double_rare_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	if (!state)
		dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	else
		state->inserted++;
	/* FLAW double-insert static */
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(double_rare_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(double_rare_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	if (!bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE))
		return -ENOMEM;
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(double_rare_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(double_rare_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_rare_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_rare_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(double_rare_ops,
	  .select_cpu = (void *)double_rare_select_cpu,
	  .enqueue = (void *)double_rare_enqueue,
	  .dispatch = (void *)double_rare_dispatch,
	  .init_task = (void *)double_rare_init_task,
	  .cpu_online = (void *)double_rare_cpu_online,
	  .cpu_offline = (void *)double_rare_cpu_offline,
	  .init = (void *)double_rare_init,
	  .exit = (void *)double_rare_exit,
	  .timeout_ms = 10000,
	  .name = "double_rare");
