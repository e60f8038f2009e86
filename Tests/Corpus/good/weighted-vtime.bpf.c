// SPDX-License-Identifier: GPL-2.0-only
/* Virtual time by weight with its lag and its debt clamped, and a clock that real time pushes on. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define WEIGHT_NICE_0 100
#define LAG_NS (10 * NSEC_PER_MSEC)
#define DEBT_NS (200 * NSEC_PER_MSEC)

static u64 clock, pushed_at;

s32 BPF_STRUCT_OPS(weighted_vtime_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static u64 place_of(const struct task_struct *p)
{
	u64 place = later(p->scx.dsq_vtime, clock - LAG_NS);

	return before(clock + DEBT_NS, place) ? clock + DEBT_NS : place;
}

void BPF_STRUCT_OPS(weighted_vtime_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 now = clock_now(), last = pushed_at;

	if (before(last, now) && __sync_val_compare_and_swap(&pushed_at, last, now) == last)
		__sync_fetch_and_add(&clock, last ? (now - last) / 32 : 0);
	dsq_insert_ordered(p, QUEUE, slice_among(SCX_SLICE_DFL, scx_bpf_dsq_nr_queued(QUEUE)), place_of(p), enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(weighted_vtime_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(weighted_vtime_running, struct task_struct *p)
{
	clock = later(clock, p->scx.dsq_vtime);
}

void BPF_STRUCT_OPS(weighted_vtime_stopping, struct task_struct *p, bool runnable)
{
	u64 used = SCX_SLICE_DFL > p->scx.slice ? SCX_SLICE_DFL - p->scx.slice : 0;

	task_set_vtime(p, p->scx.dsq_vtime + used * WEIGHT_NICE_0 / (p->scx.weight ?: 1));
}

void BPF_STRUCT_OPS(weighted_vtime_enable, struct task_struct *p)
{
	task_set_vtime(p, clock);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(weighted_vtime_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(weighted_vtime_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(weighted_vtime_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(weighted_vtime_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(weighted_vtime_ops,
	  .select_cpu = (void *)weighted_vtime_select_cpu,
	  .enqueue = (void *)weighted_vtime_enqueue,
	  .dispatch = (void *)weighted_vtime_dispatch,
	  .running = (void *)weighted_vtime_running,
	  .stopping = (void *)weighted_vtime_stopping,
	  .enable = (void *)weighted_vtime_enable,
	  .cpu_online = (void *)weighted_vtime_cpu_online,
	  .cpu_offline = (void *)weighted_vtime_cpu_offline,
	  .init = (void *)weighted_vtime_init,
	  .exit = (void *)weighted_vtime_exit,
	  .timeout_ms = 10000,
	  .name = "weighted_vtime");
