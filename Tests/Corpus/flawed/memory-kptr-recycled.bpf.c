// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives every task a record that it keeps in a hash, and takes what is found in a new element for a mistake of its own.
 * On Linux 7.3 the deletion of an element leaves its pointers where they are, and the next task that gets it finds them.
 */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#include <bpf/bpf_core_read.h>

#define QUEUE 0

void *bpf_obj_new_impl(u64 type, void *meta) __ksym;
void bpf_obj_drop_impl(void *object, void *meta) __ksym;

struct note {
	u64 since;
};

struct stash {
	struct note __kptr *note;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, s32);
	__type(value, struct stash);
} stashes SEC(".maps");

s32 BPF_STRUCT_OPS(memory_kptr_recycled_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(memory_kptr_recycled_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(memory_kptr_recycled_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_kptr_recycled_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct stash empty = {}, *stash;
	struct note *note;
	s32 pid = p->pid;

	if (bpf_map_update_elem(&stashes, &pid, &empty, BPF_NOEXIST))
		return -ENOMEM;
	stash = bpf_map_lookup_elem(&stashes, &pid);
	if (!stash)
		return -ENOMEM;
	note = bpf_obj_new_impl(bpf_core_type_id_local(struct note), NULL);
	if (!note)
		return -ENOMEM;
	note->since = bpf_ktime_get_ns();
	note = bpf_kptr_xchg(&stash->note, note);
	if (note) {
		bpf_obj_drop_impl(note, NULL);
		/* FLAW ejected dynamic */
		scheduler_error("there was a record before the first one");
		return -ENOMEM;
	}
	return 0;
}

void BPF_STRUCT_OPS(memory_kptr_recycled_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	s32 pid = p->pid;

	bpf_map_delete_elem(&stashes, &pid);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_kptr_recycled_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(memory_kptr_recycled_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_kptr_recycled_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_kptr_recycled_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(memory_kptr_recycled_ops,
	  .select_cpu = (void *)memory_kptr_recycled_select_cpu,
	  .enqueue = (void *)memory_kptr_recycled_enqueue,
	  .dispatch = (void *)memory_kptr_recycled_dispatch,
	  .init_task = (void *)memory_kptr_recycled_init_task,
	  .exit_task = (void *)memory_kptr_recycled_exit_task,
	  .cpu_online = (void *)memory_kptr_recycled_cpu_online,
	  .cpu_offline = (void *)memory_kptr_recycled_cpu_offline,
	  .init = (void *)memory_kptr_recycled_init,
	  .exit = (void *)memory_kptr_recycled_exit,
	  .timeout_ms = 10000,
	  .name = "memory_kptr");
