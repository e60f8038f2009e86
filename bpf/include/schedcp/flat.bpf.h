/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic without branches. A loop whose rounds take no decision is one path, which the kernel's verifier and SchedCP's
 * follow to its end; with a comparison or two in each round there are more paths than either has patience for. For numbers
 * of less than 63 bits, for the difference of two has to fit. The barriers keep the compiler from making branches of it.
 */
#ifndef SCHEDCP_FLAT_BPF_H
#define SCHEDCP_FLAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/* All ones when the number is below 0, else 0. */
static __always_inline s64 flat_negative(s64 number)
{
	s64 mask;

	barrier_var(number);
	mask = number >> 63;
	barrier_var(mask);
	return mask;
}

/* `yes` when the number is below 0, else `no`. */
static __always_inline s64 flat_choice(s64 number, s64 yes, s64 no)
{
	return no ^ ((no ^ yes) & flat_negative(number));
}

static __always_inline s64 flat_least(s64 a, s64 b)
{
	return flat_choice(a - b, a, b);
}

static __always_inline s64 flat_most(s64 a, s64 b)
{
	return flat_choice(a - b, b, a);
}

static __always_inline s64 flat_within(s64 number, s64 least, s64 most)
{
	return flat_least(flat_most(number, least), most);
}

/* All ones when they differ, else 0. */
static __always_inline s64 flat_differ(s64 a, s64 b)
{
	return flat_negative((a - b) | (b - a));
}

#endif
