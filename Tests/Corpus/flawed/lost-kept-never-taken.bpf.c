// SPDX-License-Identifier: GPL-2.0-only
/* Keeps the numbers of waiting tasks in a queue of its own, and serves another one. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, s32);
} waiting SEC(".maps");

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

s32 BPF_STRUCT_OPS(lost_kept_never_taken_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(lost_kept_never_taken_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	/* FLAW lost-task static */
	if (bpf_map_push_elem(&waiting, &pid, 0))
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(lost_kept_never_taken_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_kept_never_taken_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(lost_kept_never_taken_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_kept_never_taken_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_kept_never_taken_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_kept_never_taken_ops,
	  .select_cpu = (void *)lost_kept_never_taken_select_cpu,
	  .enqueue = (void *)lost_kept_never_taken_enqueue,
	  .dispatch = (void *)lost_kept_never_taken_dispatch,
	  .cpu_online = (void *)lost_kept_never_taken_cpu_online,
	  .cpu_offline = (void *)lost_kept_never_taken_cpu_offline,
	  .init = (void *)lost_kept_never_taken_init,
	  .exit = (void *)lost_kept_never_taken_exit,
	  .timeout_ms = 10000,
	  .name = "lost_kept_never_taken");
