// SPDX-License-Identifier: GPL-2.0-only
/* Light tasks run when no heavy one waits, or when the last of them ran too long ago. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define HEAVY 0
#define LIGHT 1
#define PATIENCE_NS (50 * NSEC_PER_MSEC)

static u64 light_served;

s32 BPF_STRUCT_OPS(strict_with_deadline_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(strict_with_deadline_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, p->scx.weight >= 100 ? HEAVY : LIGHT, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static bool serve_light(u64 now)
{
	if (!dsq_move_to_local(LIGHT, 0))
		return false;
	light_served = now;
	return true;
}

void BPF_STRUCT_OPS(strict_with_deadline_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 now = clock_now();

	if (now - light_served > PATIENCE_NS && serve_light(now))
		return;
	if (!dsq_move_to_local(HEAVY, 0))
		serve_light(now);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(strict_with_deadline_init)
{
	s32 error = scx_bpf_create_dsq(HEAVY, -1);

	return error ?: scx_bpf_create_dsq(LIGHT, -1);
}

void BPF_STRUCT_OPS(strict_with_deadline_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(strict_with_deadline_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(strict_with_deadline_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(strict_with_deadline_ops,
	  .select_cpu = (void *)strict_with_deadline_select_cpu,
	  .enqueue = (void *)strict_with_deadline_enqueue,
	  .dispatch = (void *)strict_with_deadline_dispatch,
	  .cpu_online = (void *)strict_with_deadline_cpu_online,
	  .cpu_offline = (void *)strict_with_deadline_cpu_offline,
	  .init = (void *)strict_with_deadline_init,
	  .exit = (void *)strict_with_deadline_exit,
	  .timeout_ms = 10000,
	  .name = "strict_with_deadline");
