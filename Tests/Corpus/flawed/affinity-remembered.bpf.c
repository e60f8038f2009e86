// SPDX-License-Identifier: GPL-2.0-only
/* Sends a task where it ran last time; since then its affinity may have changed. */
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

s32 BPF_STRUCT_OPS(affinity_remembered_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(affinity_remembered_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	if (state && state->cpu > 0 && state->cpu <= (s32)nr_cpus()) {
		s32 cpu = state->cpu - 1;

		/* FLAW affinity static */
		dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, enq_flags);
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		return;
	}
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(affinity_remembered_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(affinity_remembered_running, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (state)
		state->cpu = bpf_get_smp_processor_id() + 1;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(affinity_remembered_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	if (!bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE))
		return -ENOMEM;
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(affinity_remembered_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(affinity_remembered_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_remembered_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_remembered_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(affinity_remembered_ops,
	  .select_cpu = (void *)affinity_remembered_select_cpu,
	  .enqueue = (void *)affinity_remembered_enqueue,
	  .dispatch = (void *)affinity_remembered_dispatch,
	  .running = (void *)affinity_remembered_running,
	  .init_task = (void *)affinity_remembered_init_task,
	  .cpu_online = (void *)affinity_remembered_cpu_online,
	  .cpu_offline = (void *)affinity_remembered_cpu_offline,
	  .init = (void *)affinity_remembered_init,
	  .exit = (void *)affinity_remembered_exit,
	  .timeout_ms = 10000,
	  .name = "affinity_remembered");
