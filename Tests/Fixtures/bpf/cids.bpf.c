// SPDX-License-Identifier: GPL-2.0-only
/*
 * Harmless, with its operations in the form of Linux 7.3 that counts CPUs by their place in the topology. A `vmlinux.h` of an
 * older kernel has no such form.
 */
#include <schedcp/ops.bpf.h>
#include <schedcp/exit.bpf.h>

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(cids_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(cids_cid_online, s32 cid)
{
}

void BPF_STRUCT_OPS(cids_cid_offline, s32 cid)
{
}

void BPF_STRUCT_OPS(cids_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SEC(".struct_ops.link")
struct sched_ext_ops_cid cids_ops = {
	.enqueue = (void *)cids_enqueue,
	.cid_online = (void *)cids_cid_online,
	.cid_offline = (void *)cids_cid_offline,
	.exit = (void *)cids_exit,
	.exit_dump_len = 4096,
	.timeout_ms = 10000,
	.name = "cids",
};
