/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which CPUs are open for work, and which are parked. All stand in one order, those of a cache side by side, and the first
 * ones are open. How many follows from how busy all CPUs were in the latest windows of time.
 */
#ifndef SCHEDCP_PARKING_BPF_H
#define SCHEDCP_PARKING_BPF_H

#include <schedcp/scheduler.bpf.h>
#include <schedcp/stats.bpf.h>

#define WINDOW_NS (20 * NSEC_PER_MSEC)
#define STALE_WINDOWS 8
#define UTIL_ONE 1024 /* one CPU that is always busy */
#define UTIL_WEIGHT 4 /* the latest window is one part in four of the average */
#define ROOM_PERCENT 20

enum {
	COUNT_GROWN = COUNT_OWN, /* times that CPUs were opened */
	COUNT_SHRUNK,            /* times that one was closed */
	COUNT_PARKING_END,
};

struct place {
	u32 cpu;  /* the CPU at this place of the order */
	u32 rank; /* the place of the CPU of this number */
	u32 llc;
	bool online;
	u64 since; /* when this CPU began to run the task it runs, or was last asked; 0: it runs none */
};

static struct place places[SCHEDCP_MAX_CPUS];
static u32 first_rank[SCHEDCP_MAX_LLCS]; /* of each cache's CPUs, while they are put in order */
static u32 nr_places;
static u32 horizon; /* CPUs whose rank is below it are open */
static u32 nr_open;
static u32 nr_online;

static u64 window_start;
static u64 busy; /* CPU time since then, of all CPUs, in ns */
static u64 util;
static u64 roomy_since; /* since then one CPU fewer would do */

static struct place *place_at(u32 index)
{
	/* See llc_slot. */
	barrier_var(index);
	return &places[index & (SCHEDCP_MAX_CPUS - 1)];
}

static bool is_open(s32 cpu)
{
	return place_at(cpu)->rank < horizon;
}

/*
 * Opens the first `wanted` online CPUs of the order, at least one. Two that do this at once may leave a number that
 * neither wanted; the next window puts it right, and tasks that find no open CPU are overdue meanwhile.
 */
static void resize(u32 wanted)
{
	u32 seen = 0, end = 0, rank;

	bpf_for(rank, 0, nr_places) {
		end = rank + 1;
		seen += place_at(place_at(rank)->cpu)->online;
		if (seen >= wanted)
			break;
	}
	horizon = end;
	nr_open = seen;
}

/* Opens CPUs when the open ones are busier than `percent`; closes one when the rest was enough for `shrink` ns. */
static void decide(u64 now, u64 percent, u64 shrink)
{
	u64 load = util * 100, open = nr_open;

	if (load > open * UTIL_ONE * percent && open < nr_online) {
		resize(load / (UTIL_ONE * percent) + 1);
		count(COUNT_GROWN);
		roomy_since = now;
	} else if (open <= 1 || load > (open - 1) * UTIL_ONE * (percent - ROOM_PERCENT)) {
		roomy_since = now;
	} else if (now - roomy_since >= shrink) {
		resize(open - 1);
		count(COUNT_SHRUNK);
		roomy_since = now;
	}
}

/* Adds what the CPU has run since it was last asked. */
static void account(s32 cpu, u64 now)
{
	u64 since = place_at(cpu)->since;

	if (since)
		__sync_fetch_and_add(&busy, now - since);
	place_at(cpu)->since = now;
}

/* Closes the window when it is over. At ticks only: where none comes while tasks run, there is little to decide. */
static void look_at_load(u64 now, u64 percent, u64 shrink)
{
	u64 start = window_start, latest;

	if (before(now, start + WINDOW_NS) || __sync_val_compare_and_swap(&window_start, start, now) != start)
		return;
	latest = __sync_lock_test_and_set(&busy, 0) * UTIL_ONE / (now - start);
	if (now - start > STALE_WINDOWS * WINDOW_NS)
		util = latest;
	else
		util += latest / UTIL_WEIGHT - util / UTIL_WEIGHT;
	decide(now, percent, shrink);
}

/* The order of the CPUs: by cache, then by number. */
static void put_in_order(void)
{
	u32 nr = nr_llcs(), llc, cpu;

	bpf_for(cpu, 0, nr_places)
		first_rank[llc_slot(place_at(cpu)->llc + 1)]++;
	first_rank[0] = 0;
	bpf_for(llc, 1, nr)
		first_rank[llc_slot(llc)] += first_rank[llc_slot(llc - 1)];
	bpf_for(cpu, 0, nr_places) {
		u32 rank = first_rank[llc_slot(place_at(cpu)->llc)]++;

		place_at(cpu)->rank = rank;
		place_at(rank)->cpu = cpu;
	}
}

/* What an earlier attachment of the same load left is void. All are open: who comes from another scheduler comes with its load. */
static void parking_start(void)
{
	const struct cpumask *online = scx_bpf_get_online_cpumask();
	u32 cpu;

	nr_places = nr_cpus();
	nr_online = 0;
	/* CPUs cannot come or go during init. */
	bpf_for(cpu, 0, nr_places) {
		place_at(cpu)->online = bpf_cpumask_test_cpu(cpu, online);
		place_at(cpu)->since = 0;
		place_at(cpu)->llc = llc_of(cpu);
		first_rank[llc_slot(place_at(cpu)->llc + 1)] = 0;
		nr_online += place_at(cpu)->online;
	}
	scx_bpf_put_cpumask(online);
	put_in_order();
	window_start = clock_now();
	roomy_since = window_start;
	resize(nr_online);
}

static void parking_online(s32 cpu)
{
	place_at(cpu)->online = true;
	__sync_fetch_and_add(&nr_online, 1);
	resize(nr_open);
}

static void parking_offline(s32 cpu)
{
	place_at(cpu)->online = false;
	place_at(cpu)->since = 0;
	__sync_fetch_and_sub(&nr_online, 1);
	resize(nr_open);
}

#endif
