/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which CPUs share a last-level cache, written by the loader before load. An object whose loader does not know these
 * names sees a machine of one LLC, which is correct everywhere and optimal on a small machine.
 */
#ifndef SCHEDCP_TOPOLOGY_BPF_H
#define SCHEDCP_TOPOLOGY_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <schedcp/kfuncs.bpf.h>

#define SCHEDCP_MAX_CPUS 1024
#define SCHEDCP_MAX_LLCS 256

const volatile __u32 schedcp_nr_cpus;                   /* 0: not filled */
const volatile __u32 schedcp_nr_llcs;                   /* 0: not filled */
const volatile __u32 schedcp_cpu_llc[SCHEDCP_MAX_CPUS]; /* CPU number to LLC index, 0 … schedcp_nr_llcs - 1 */

static __always_inline u32 nr_cpus(void)
{
	u32 nr = schedcp_nr_cpus ?: scx_bpf_nr_cpu_ids();

	return nr < SCHEDCP_MAX_CPUS ? nr : SCHEDCP_MAX_CPUS;
}

static __always_inline u32 nr_llcs(void)
{
	u32 nr = schedcp_nr_llcs ?: 1;

	return nr < SCHEDCP_MAX_LLCS ? nr : SCHEDCP_MAX_LLCS;
}

/* Always below nr_llcs(), whatever the loader wrote. */
static __always_inline u32 llc_of(s32 cpu)
{
	return schedcp_cpu_llc[(u32)cpu % SCHEDCP_MAX_CPUS] % nr_llcs();
}

/*
 * An LLC index as an index into an array of SCHEDCP_MAX_LLCS. The verifiers before 7.0 do not follow a remainder, and the
 * compiler, which does, would drop the mask as needless: the barrier makes it forget.
 */
static __always_inline u32 llc_slot(u32 llc)
{
	barrier_var(llc);
	return llc & (SCHEDCP_MAX_LLCS - 1);
}

#endif
