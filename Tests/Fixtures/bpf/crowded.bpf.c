// SPDX-License-Identifier: GPL-2.0-only
/*
 * Harmless, with an arena and more maps than libbpf's list has places at first: before 1.7 libbpf loses the arena when the
 * list grows.
 */
#include <schedcp/ops.bpf.h>

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
} arena SEC(".maps");

#define IN_ITS_OWN_SECTION(name) u64 name SEC(".data." #name) = 1
IN_ITS_OWN_SECTION(place1);
IN_ITS_OWN_SECTION(place2);
IN_ITS_OWN_SECTION(place3);
IN_ITS_OWN_SECTION(place4);
IN_ITS_OWN_SECTION(place5);
IN_ITS_OWN_SECTION(place6);
IN_ITS_OWN_SECTION(place7);
IN_ITS_OWN_SECTION(place8);
IN_ITS_OWN_SECTION(place9);
IN_ITS_OWN_SECTION(place10);
IN_ITS_OWN_SECTION(place11);
IN_ITS_OWN_SECTION(place12);
IN_ITS_OWN_SECTION(place13);
IN_ITS_OWN_SECTION(place14);
IN_ITS_OWN_SECTION(place15);

void BPF_STRUCT_OPS(crowded_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SCHEDULER(crowded_ops,
	  .enqueue = (void *)crowded_enqueue,
	  .timeout_ms = 10000,
	  .name = "crowded");
