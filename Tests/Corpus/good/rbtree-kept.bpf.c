// SPDX-License-Identifier: GPL-2.0-only
/* Keeps waiting tasks in a red-black tree of its own, by the time they came; a failed allocation has another way. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#include <bpf/bpf_core_read.h>

#define QUEUE 0
#define private(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))

struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
void *bpf_obj_new_impl(u64 type, void *meta) __ksym;
void bpf_obj_drop_impl(void *object, void *meta) __ksym;
int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta, u64 off) __ksym;
struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

struct waiter {
	struct bpf_rb_node node;
	u64 since;
	s32 pid;
};

#define __contains(type, field) __attribute__((btf_decl_tag("contains:" #type ":" #field)))

private(TREE) struct bpf_spin_lock tree_lock;
private(TREE) struct bpf_rb_root tree __contains(waiter, node);

static bool earlier(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return before(container_of(a, struct waiter, node)->since, container_of(b, struct waiter, node)->since);
}

s32 BPF_STRUCT_OPS(rbtree_kept_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(rbtree_kept_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct waiter *waiter = bpf_obj_new_impl(bpf_core_type_id_local(struct waiter), NULL);

	if (!waiter) {
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
		wake_idle_cpu_for(p);
		return;
	}
	waiter->since = clock_now();
	waiter->pid = p->pid;
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&tree, &waiter->node, earlier, NULL, 0);
	bpf_spin_unlock(&tree_lock);
	wake_idle_cpu_for(p);
}

static s32 first_waiting_pid(void)
{
	struct bpf_rb_node *node;
	struct waiter *waiter;
	s32 pid;

	bpf_spin_lock(&tree_lock);
	node = bpf_rbtree_first(&tree);
	if (!node) {
		bpf_spin_unlock(&tree_lock);
		return 0;
	}
	node = bpf_rbtree_remove(&tree, node);
	bpf_spin_unlock(&tree_lock);
	if (!node)
		return 0;
	waiter = container_of(node, struct waiter, node);
	pid = waiter->pid;
	bpf_obj_drop_impl(waiter, NULL);
	return pid;
}

void BPF_STRUCT_OPS(rbtree_kept_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	bpf_for(i, 0, 4) {
		s32 pid = first_waiting_pid();
		struct task_struct *p;

		if (!pid)
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(rbtree_kept_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(rbtree_kept_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(rbtree_kept_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(rbtree_kept_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(rbtree_kept_ops,
	  .select_cpu = (void *)rbtree_kept_select_cpu,
	  .enqueue = (void *)rbtree_kept_enqueue,
	  .dispatch = (void *)rbtree_kept_dispatch,
	  .cpu_online = (void *)rbtree_kept_cpu_online,
	  .cpu_offline = (void *)rbtree_kept_cpu_offline,
	  .init = (void *)rbtree_kept_init,
	  .exit = (void *)rbtree_kept_exit,
	  .dispatch_max_batch = 8,
	  .timeout_ms = 10000,
	  .name = "rbtree_kept");
