// SPDX-License-Identifier: GPL-2.0-only
/* As double-after-handoff, only for heavy tasks and in a function of its own. */
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

s32 BPF_STRUCT_OPS(double_handoff_heavy_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static __noinline int hand_on(struct task_struct *p)
{
	s32 pid = p->pid;

	return bpf_map_push_elem(&waiting, &pid, 0);
}

void BPF_STRUCT_OPS(double_handoff_heavy_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->scx.weight > 100 && hand_on(p) == 0)
		scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_IDLE);
	/* FLAW insert-after-handoff static */
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(double_handoff_heavy_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	bpf_for(i, 0, 4) {
		struct task_struct *p;
		s32 pid;

		if (bpf_map_pop_elem(&waiting, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(double_handoff_heavy_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(double_handoff_heavy_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_handoff_heavy_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_handoff_heavy_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(double_handoff_heavy_ops,
	  .select_cpu = (void *)double_handoff_heavy_select_cpu,
	  .enqueue = (void *)double_handoff_heavy_enqueue,
	  .dispatch = (void *)double_handoff_heavy_dispatch,
	  .cpu_online = (void *)double_handoff_heavy_cpu_online,
	  .cpu_offline = (void *)double_handoff_heavy_cpu_offline,
	  .init = (void *)double_handoff_heavy_init,
	  .exit = (void *)double_handoff_heavy_exit,
	  .dispatch_max_batch = 8,
	  .timeout_ms = 10000,
	  .name = "double_handoff_heavy");
