// SPDX-License-Identifier: GPL-2.0-only
/* Faulty on purpose: works, and ends itself with an error after_ms after it was attached, at the next wakeup. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u32 after_ms = 1000;

static u64 attached_at;

void BPF_STRUCT_OPS(ejects_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

/* Called as every task starts to run, hence soon after the time is up even on an idle machine. */
void BPF_STRUCT_OPS(ejects_running, struct task_struct *p)
{
	u64 age_ms = (bpf_ktime_get_ns() - attached_at) / NSEC_PER_MSEC;

	if (age_ms >= after_ms)
		scheduler_error("ejects on purpose: task %d ran %llu ms after attach", p->pid, age_ms);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ejects_init)
{
	attached_at = bpf_ktime_get_ns();
	return 0;
}

void BPF_STRUCT_OPS(ejects_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ejects_ops,
	  .enqueue = (void *)ejects_enqueue,
	  .running = (void *)ejects_running,
	  .init = (void *)ejects_init,
	  .exit = (void *)ejects_exit,
	  .timeout_ms = 5000,
	  .name = "ejects");
