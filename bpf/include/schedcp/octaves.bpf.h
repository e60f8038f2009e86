/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times on a scale of doublings, for schedulers that tell tasks apart by how long they run: what counts is by how many times
 * one is longer than another, whether they need microseconds or hours.
 */
#ifndef SCHEDCP_OCTAVES_BPF_H
#define SCHEDCP_OCTAVES_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define OCTAVE 256

/*
 * How often 2^`first` ns has to be doubled to give `ns`, in 1/OCTAVE of a doubling; 0 for all that is shorter. Linear within
 * a doubling, which is off by at most 9 %.
 */
static __always_inline u64 octaves_of(u64 ns, u32 first)
{
	u64 units = ns >> first | 1, whole = 63 - __builtin_clzll(units);

	return whole * OCTAVE + ((units * OCTAVE >> whole) & (OCTAVE - 1));
}

#endif
