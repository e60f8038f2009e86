// SPDX-License-Identifier: GPL-2.0-only
/*
 * Harmless, and only what the convention asks for: constants from `__SCX_*`, which a loader must fill or the kernel ejects
 * it, and no exit information of its own. Its parameters are one of every type that a loader can set; `seen` holds what
 * the running program read, so that a test can compare.
 */
#include <schedcp/ops.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile bool flag_bool = true;
const volatile __u8 small_u8 = 8;
const volatile __s32 signed_s32 = -32;
const volatile __u32 number_u32 = 32;
const volatile __u64 wide_u64 = 1ULL << 40;
const volatile __s64 signed_s64 = -(1LL << 40);
const volatile char text[16] = "default";

struct {
	__u64 wide_u64;
	__s64 signed_s64;
	__s32 signed_s32;
	__u32 number_u32;
	char text[16];
	__u8 small_u8;
	bool flag_bool;
} seen SEC(".bss");

void BPF_STRUCT_OPS(convention_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(convention_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(convention_cpu_offline, s32 cpu)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(convention_init)
{
	u32 i;

	seen.flag_bool = flag_bool;
	seen.small_u8 = small_u8;
	seen.signed_s32 = signed_s32;
	seen.number_u32 = number_u32;
	seen.wide_u64 = wide_u64;
	seen.signed_s64 = signed_s64;
	for (i = 0; i < sizeof(text); i++)
		seen.text[i] = text[i];
	return 0;
}

SCHEDULER(convention_ops,
	  .enqueue = (void *)convention_enqueue,
	  .cpu_online = (void *)convention_cpu_online,
	  .cpu_offline = (void *)convention_cpu_offline,
	  .init = (void *)convention_init,
	  .name = "convention");
