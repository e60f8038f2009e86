// SPDX-License-Identifier: GPL-2.0-only
/* enqueue trusts the CPU that select_cpu noted; tasks that are bound to one CPU never pass there. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct task_state {
	s32 cpu;
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

s32 BPF_STRUCT_OPS(cpu_only_selected_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_state *state = state_of(p);
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (state)
		state->cpu = cpu + 1;
	return cpu;
}

void BPF_STRUCT_OPS(cpu_only_selected_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	/* FLAW select-cpu-only,lost-task static */
	if (state && state->cpu) {
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
		state->cpu = 0;
	}
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(cpu_only_selected_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cpu_only_selected_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	if (!bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE))
		return -ENOMEM;
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cpu_only_selected_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(cpu_only_selected_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_only_selected_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_only_selected_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cpu_only_selected_ops,
	  .select_cpu = (void *)cpu_only_selected_select_cpu,
	  .enqueue = (void *)cpu_only_selected_enqueue,
	  .dispatch = (void *)cpu_only_selected_dispatch,
	  .init_task = (void *)cpu_only_selected_init_task,
	  .cpu_online = (void *)cpu_only_selected_cpu_online,
	  .cpu_offline = (void *)cpu_only_selected_cpu_offline,
	  .init = (void *)cpu_only_selected_init,
	  .exit = (void *)cpu_only_selected_exit,
	  .timeout_ms = 10000,
	  .name = "cpu_only_selected");
