/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why the scheduler ended, kept where a loader finds it by name: `uei` in .data, and the kernel's dump in a section of its
 * own, `.data.uei_dump`, which a loader may enlarge before load (it then writes the new size to `uei_dump_len`).
 */
#ifndef SCHEDCP_EXIT_BPF_H
#define SCHEDCP_EXIT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct user_exit_info {
	int kind;      /* enum scx_exit_kind; 0 while the scheduler runs */
	s32 exit_cpu;  /* the CPU where it ended, -1 where the kernel does not say */
	s64 exit_code;
	char reason[128];
	char msg[1024];
};

#define SCHEDCP_DUMP_SIZE 32768

struct user_exit_info uei SEC(".data");
char uei_dump[SCHEDCP_DUMP_SIZE] SEC(".data.uei_dump");
const volatile __u32 uei_dump_len = SCHEDCP_DUMP_SIZE;

static __always_inline void exit_record(const struct scx_exit_info *info)
{
	bpf_probe_read_kernel_str(uei.reason, sizeof(uei.reason), info->reason);
	bpf_probe_read_kernel_str(uei.msg, sizeof(uei.msg), info->msg);
	bpf_probe_read_kernel_str(uei_dump, uei_dump_len, info->dump);
	uei.exit_code = bpf_core_field_exists(info->exit_code) ? info->exit_code : 0;
	uei.exit_cpu = bpf_core_field_exists(info->exit_cpu) ? info->exit_cpu : -1;
	/* Last, and as one atomic step: a reader that sees a kind sees everything else too. */
	__sync_lock_test_and_set(&uei.kind, info->kind);
}

#endif
