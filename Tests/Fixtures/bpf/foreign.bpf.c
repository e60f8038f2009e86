// SPDX-License-Identifier: GPL-2.0-only
/* Harmless: plays the scheduler that somebody else loaded, which SchedCP must recognise, name and leave alone. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(foreign_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(foreign_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(foreign_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(foreign_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(foreign_ops,
	  .enqueue = (void *)foreign_enqueue,
	  .cpu_online = (void *)foreign_cpu_online,
	  .cpu_offline = (void *)foreign_cpu_offline,
	  .exit = (void *)foreign_exit,
	  .name = "foreign");
