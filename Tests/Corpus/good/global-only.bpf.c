// SPDX-License-Identifier: GPL-2.0-only
/* No queue of its own and no dispatch: the kernel's global queue serves everybody. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(global_only_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(global_only_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(global_only_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(global_only_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(global_only_ops,
	  .enqueue = (void *)global_only_enqueue,
	  .cpu_online = (void *)global_only_cpu_online,
	  .cpu_offline = (void *)global_only_cpu_offline,
	  .exit = (void *)global_only_exit,
	  .timeout_ms = 10000,
	  .name = "global_only");
