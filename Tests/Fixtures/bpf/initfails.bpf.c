// SPDX-License-Identifier: GPL-2.0-only
/* Passes the verifier and refuses to start: its attach fails, and what ran before must be put back. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

s32 BPF_STRUCT_OPS_SLEEPABLE(initfails_init)
{
	return -22;
}

void BPF_STRUCT_OPS(initfails_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(initfails_ops,
	  .init = (void *)initfails_init,
	  .exit = (void *)initfails_exit,
	  .name = "initfails");
