// SPDX-License-Identifier: GPL-2.0-only
/* Ends itself where the kernel promises never to be; that is no lost task. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct task_state {
	u64 waits;
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

s32 BPF_STRUCT_OPS(impossible_error_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(impossible_error_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	if (!state) {
		scheduler_error("task %d has no record", p->pid);
		return;
	}
	state->waits++;
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(impossible_error_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(impossible_error_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	if (!bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE))
		return -ENOMEM;
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(impossible_error_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(impossible_error_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(impossible_error_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(impossible_error_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(impossible_error_ops,
	  .select_cpu = (void *)impossible_error_select_cpu,
	  .enqueue = (void *)impossible_error_enqueue,
	  .dispatch = (void *)impossible_error_dispatch,
	  .init_task = (void *)impossible_error_init_task,
	  .cpu_online = (void *)impossible_error_cpu_online,
	  .cpu_offline = (void *)impossible_error_cpu_offline,
	  .init = (void *)impossible_error_init,
	  .exit = (void *)impossible_error_exit,
	  .timeout_ms = 10000,
	  .name = "impossible_error");
