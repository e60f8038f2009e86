// SPDX-License-Identifier: GPL-2.0-only
/* Serves woken tasks first, in a function that dispatch asks before it looks anywhere else. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define WAKEUPS 0
#define REST 1

s32 BPF_STRUCT_OPS(starve_strict_subprogram_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(starve_strict_subprogram_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (enq_flags & SCX_ENQ_WAKEUP)
		dsq_insert(p, WAKEUPS, SCX_SLICE_DFL, enq_flags);
	else
		dsq_insert(p, REST, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static __noinline int serve_wakeups(void)
{
	return dsq_move_to_local(WAKEUPS, 0);
}

void BPF_STRUCT_OPS(starve_strict_subprogram_dispatch, s32 cpu, struct task_struct *prev)
{
	/* FLAW strict-priority static */
	if (!serve_wakeups())
		dsq_move_to_local(REST, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(starve_strict_subprogram_init)
{
	s32 error = scx_bpf_create_dsq(WAKEUPS, -1);

	return error ?: scx_bpf_create_dsq(REST, -1);
}

void BPF_STRUCT_OPS(starve_strict_subprogram_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_strict_subprogram_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_strict_subprogram_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(starve_strict_subprogram_ops,
	  .select_cpu = (void *)starve_strict_subprogram_select_cpu,
	  .enqueue = (void *)starve_strict_subprogram_enqueue,
	  .dispatch = (void *)starve_strict_subprogram_dispatch,
	  .cpu_online = (void *)starve_strict_subprogram_cpu_online,
	  .cpu_offline = (void *)starve_strict_subprogram_cpu_offline,
	  .init = (void *)starve_strict_subprogram_init,
	  .exit = (void *)starve_strict_subprogram_exit,
	  .timeout_ms = 10000,
	  .name = "starve_strict_subprogram");
