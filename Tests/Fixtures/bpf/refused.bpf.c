// SPDX-License-Identifier: GPL-2.0-only
/* Faulty on purpose: compiles, and the kernel's verifier refuses it, because it follows a map look-up that may be NULL. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u64);
} slices SEC(".maps");

void BPF_STRUCT_OPS(refused_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 pid = p->pid;
	u64 *slice = bpf_map_lookup_elem(&slices, &pid);

	dsq_insert(p, SCX_DSQ_GLOBAL, *slice, enq_flags);
}

void BPF_STRUCT_OPS(refused_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(refused_ops,
	  .enqueue = (void *)refused_enqueue,
	  .exit = (void *)refused_exit,
	  .name = "refused");
