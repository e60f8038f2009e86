// SPDX-License-Identifier: GPL-2.0-only
/*
 * queues: how many tasks lie in dispatch queues of the running scheduler. The reader writes the numbers of up to MAX_QUEUES
 * queues into .bss, runs the program (BPF_PROG_TEST_RUN), and reads their depths from there.
 *
 * A program of type syscall may call scx_bpf_dsq_nr_queued from 6.12 on. It belongs to no scheduler, so the kernel answers for
 * the root scheduler, unless that one lets others attach below it (from 7.1 on): then there is no answer but -ENODEV.
 */
#define BPF_NO_KFUNC_PROTOTYPES
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

#define MAX_QUEUES 512

s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym;

struct question {
	u64 ids[MAX_QUEUES];
	s32 depths[MAX_QUEUES]; /* tasks, or a negative errno */
	u32 count;
	u32 reserved;
} question;

SEC("syscall")
int count_queued(void *context)
{
	u32 count = question.count, i;

	bpf_for(i, 0, MAX_QUEUES) {
		if (i >= count)
			break;
		question.depths[i] = scx_bpf_dsq_nr_queued(question.ids[i]);
	}
	return 0;
}
