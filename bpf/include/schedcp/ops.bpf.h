/* SPDX-License-Identifier: GPL-2.0-only */
/* The least that a scheduler needs: operations, the kernel's functions and the kernel's constants. */
#ifndef SCHEDCP_OPS_BPF_H
#define SCHEDCP_OPS_BPF_H

#include <schedcp/kfuncs.bpf.h>
#include <schedcp/enums.bpf.h>
#include <bpf/bpf_tracing.h>

/* An operation of struct sched_ext_ops; the SLEEPABLE kind for init and init_task. */
#define BPF_STRUCT_OPS(name, args...) SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define BPF_STRUCT_OPS_SLEEPABLE(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

/* The scheduler lives exactly as long as the link made from this map. */
#define SCHEDULER(variable, ...) SEC(".struct_ops.link") struct sched_ext_ops variable = { __VA_ARGS__ }

/* Ends the scheduler with a message that user space can read. */
#define scheduler_error(format, args...)                                                  \
	({                                                                                \
		static char ___format[] = format;                                         \
		unsigned long long ___values[___bpf_narg(args) ?: 1] = {};                \
		_Pragma("clang diagnostic push")                                          \
		_Pragma("clang diagnostic ignored \"-Wint-conversion\"")                  \
		___bpf_fill(___values, args);                                             \
		_Pragma("clang diagnostic pop")                                           \
		scx_bpf_error_bstr(___format, ___values, sizeof(___values));              \
	})

/* Not in vmlinux.h, which has types only. */
#define ENOMEM 12

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC 1000000000ULL

#endif
