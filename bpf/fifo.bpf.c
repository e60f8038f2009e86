// SPDX-License-Identifier: GPL-2.0-only
/*
 * fifo: first come, first served, with one queue for each last-level cache.
 *
 * A task waits in the queue of the cache it last ran under, and a CPU serves its own cache's queue first, so that tasks
 * stay near their data. Where the machine shows no cache that two CPUs share, as many virtual ones do, GROUP neighbours have
 * a queue. Two things keep that from starving anybody: a CPU whose own queue is empty takes from the others,
 * and every FOREIGN_TURN-th time it serves another cache's queue before its own.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/stats.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u32 slice_us = 20000;

#define FOREIGN_TURN 8
#define GROUP 8

struct turn {
	u32 count;
	u32 queue; /* the other one that was served last */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct turn);
} turns SEC(".maps");

/* Online CPUs of each queue. One whose last CPU went away is an orphan: everybody serves it before anything else. */
static u32 online[SCHEDCP_MAX_LLCS];
static u32 nr_orphans;

/* CPUs without a common cache, one for each LLC. */
static bool are_apart(void)
{
	return nr_llcs() > 1 && nr_llcs() == schedcp_nr_cpus;
}

static u32 nr_queues(void)
{
	return are_apart() ? (nr_llcs() + GROUP - 1) / GROUP : nr_llcs();
}

static u32 queue_of(s32 cpu)
{
	return are_apart() ? llc_of(cpu) / GROUP : llc_of(cpu);
}

static u32 queue_for(struct task_struct *p)
{
	s32 cpu;

	if (nr_queues() == 1)
		return 0;
	cpu = scx_bpf_task_cpu(p);
	/* After a change of affinity the task may still be on a CPU that it must leave: queue it where it may run. */
	if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
		cpu = bpf_cpumask_first(p->cpus_ptr);
	return queue_of(cpu);
}

static u64 slice_beside(s32 queued)
{
	return slice_among(slice_us * NSEC_PER_USEC, queued);
}

s32 BPF_STRUCT_OPS(fifo_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle) {
		/* IMMED: when the CPU turns out to be taken, the task comes back to enqueue instead of waiting there. */
		dsq_insert(p, SCX_DSQ_LOCAL, slice_beside(0), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

void BPF_STRUCT_OPS(fifo_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 queue = queue_for(p);
	s32 queued = scx_bpf_dsq_nr_queued(queue);

	dsq_insert(p, queue, slice_beside(queued), enq_flags);
	count(COUNT_ENQUEUED);
	if (wake_idle_cpu_behind(queued, p, enq_flags))
		count(COUNT_KICKED);
}

static bool serve_orphans(u32 nr)
{
	u32 queue;

	/* No task joins an orphan, so what is in it has waited longest: first, and that ends. */
	bpf_for(queue, 0, nr) {
		if (!online[llc_slot(queue)] && dsq_move_to_local(queue, SCX_ENQ_IMMED))
			return count(COUNT_AGED);
	}
	return false;
}

/* Every FOREIGN_TURN-th call on a CPU: one task of the next queue that is not its own. */
static bool serve_foreign_turn(u32 home, u32 nr)
{
	struct turn *turn = bpf_map_lookup_elem(&turns, &(u32){0});
	u32 i;

	if (!turn || ++turn->count % FOREIGN_TURN)
		return false;
	bpf_for(i, 0, nr) {
		turn->queue = (turn->queue + 1) % nr;
		if (turn->queue != home && dsq_move_to_local(turn->queue, SCX_ENQ_IMMED))
			return count(COUNT_AGED);
	}
	return false;
}

static bool serve(u32 home, u32 nr)
{
	u32 i;

	if (nr_orphans && serve_orphans(nr))
		return true;
	if (nr > 1 && serve_foreign_turn(home, nr))
		return true;
	/* Its own queue, then its neighbours': each queue once, and no more. */
	if (dsq_move_to_local(home, SCX_ENQ_IMMED))
		return true;
	bpf_for(i, 1, nr) {
		if (dsq_move_to_local((home + i) % nr, SCX_ENQ_IMMED))
			return count(COUNT_STOLEN);
	}
	return false;
}

void BPF_STRUCT_OPS(fifo_dispatch, s32 cpu, struct task_struct *prev)
{
	bool moved = serve(queue_of(cpu), nr_queues());

	end_dispatch(moved, can_continue(prev, cpu), prev, slice_beside(0));
}

void BPF_STRUCT_OPS(fifo_cpu_online, s32 cpu)
{
	if (__sync_fetch_and_add(&online[llc_slot(queue_of(cpu))], 1) == 0)
		__sync_fetch_and_sub(&nr_orphans, 1);
}

void BPF_STRUCT_OPS(fifo_cpu_offline, s32 cpu)
{
	if (__sync_fetch_and_sub(&online[llc_slot(queue_of(cpu))], 1) == 1)
		__sync_fetch_and_add(&nr_orphans, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(fifo_init)
{
	u32 nr = nr_queues(), queue, cpu;
	const struct cpumask *mask;

	bpf_for(queue, 0, nr) {
		s32 error = scx_bpf_create_dsq(queue, -1);

		if (error)
			return error;
	}
	/* What an earlier attachment of the same load counted is void. */
	nr_orphans = 0;
	bpf_for(queue, 0, nr)
		online[llc_slot(queue)] = 0;
	/* CPUs cannot come or go during init, and each later change is told to cpu_online or cpu_offline. */
	mask = scx_bpf_get_online_cpumask();
	bpf_for(cpu, 0, nr_cpus()) {
		if (bpf_cpumask_test_cpu(cpu, mask))
			online[llc_slot(queue_of(cpu))]++;
	}
	scx_bpf_put_cpumask(mask);
	bpf_for(queue, 0, nr) {
		if (!online[llc_slot(queue)])
			nr_orphans++;
	}
	return 0;
}

void BPF_STRUCT_OPS(fifo_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(fifo_ops,
	  .select_cpu = (void *)fifo_select_cpu,
	  .enqueue = (void *)fifo_enqueue,
	  .dispatch = (void *)fifo_dispatch,
	  .cpu_online = (void *)fifo_cpu_online,
	  .cpu_offline = (void *)fifo_cpu_offline,
	  .init = (void *)fifo_init,
	  .exit = (void *)fifo_exit,
	  .timeout_ms = 30000,
	  .name = "fifo");
