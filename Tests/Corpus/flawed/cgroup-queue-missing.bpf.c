// SPDX-License-Identifier: GPL-2.0-only
/* A queue for each cgroup by its id; the root gets its own, and the others none. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) __ksym;
void bpf_cgroup_release(struct cgroup *cgroup) __ksym;

s32 BPF_STRUCT_OPS(cgroup_queue_missing_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(cgroup_queue_missing_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct cgroup *cgroup = scx_bpf_task_cgroup(p);
	u64 id = cgroup->kn->id;

	bpf_cgroup_release(cgroup);
	/* FLAW unknown-dsq,ejected dynamic */
	dsq_insert(p, id, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u64 ids[64];
static u32 nr_ids;

void BPF_STRUCT_OPS(cgroup_queue_missing_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	bpf_for(i, 0, 64) {
		u64 id = ids[(i + cpu) & 63];

		if (id && dsq_move_to_local(id, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroup_queue_missing_cgroup_init, struct cgroup *cgroup, struct scx_cgroup_init_args *args)
{
	u64 id = cgroup->kn->id;
	s32 error;

	if (cgroup->level > 0)
		return 0;
	error = scx_bpf_create_dsq(id, -1);
	if (!error)
		ids[__sync_fetch_and_add(&nr_ids, 1) & 63] = id;
	return error;
}

void BPF_STRUCT_OPS(cgroup_queue_missing_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(cgroup_queue_missing_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(cgroup_queue_missing_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cgroup_queue_missing_ops,
	  .select_cpu = (void *)cgroup_queue_missing_select_cpu,
	  .enqueue = (void *)cgroup_queue_missing_enqueue,
	  .dispatch = (void *)cgroup_queue_missing_dispatch,
	  .cgroup_init = (void *)cgroup_queue_missing_cgroup_init,
	  .cpu_online = (void *)cgroup_queue_missing_cpu_online,
	  .cpu_offline = (void *)cgroup_queue_missing_cpu_offline,
	  .exit = (void *)cgroup_queue_missing_exit,
	  .timeout_ms = 10000,
	  .name = "cgroup_queue_missing");
