/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes whose threads run together, what each CPU says of the one that it runs, and who gives way to whom. */
#ifndef SCHEDCP_GANGS_BPF_H
#define SCHEDCP_GANGS_BPF_H

#include <schedcp/flat.bpf.h>
#include <schedcp/scheduler.bpf.h>
#include <schedcp/stats.bpf.h>

enum {
	COUNT_TURNS = COUNT_OWN, /* turns of processes with more than one runnable thread */
	COUNT_TOGETHER,          /* of these: all runnable threads were on CPUs at once */
};

/* A process, kept in the storage of its first thread. */
struct gang {
	u64 id;
	s32 runnable; /* threads */
	s32 running;
	u32 turn;     /* counts its turns */
	u64 began;
	u64 until;    /* the end of the latest */
	u64 place;    /* in the queue, for threads that are queued now */
	u64 began_as; /* the place with which its latest turn began */
	bool complete; /* all threads were running at once in this turn */
	bool extended; /* the turn has its second window */
	bool gave_way; /* in its latest turn, so it will not in the next */
	bool stays;    /* it does not give way in this turn */
};

/* What runs on a CPU. */
struct seat {
	u64 gang_id;     /* of the process; 0: no task of ours */
	u64 place;       /* with which its turn began */
	u64 until;       /* the end of the turn, as far as was known here */
	u32 turn;        /* in which it got the CPU */
	bool gives_way;  /* before that, to gangs; where it is one itself, to those with an earlier place */
	bool is_single;
	bool must_leave; /* was told to */
};

static struct seat seats[SCHEDCP_MAX_CPUS];
static u32 nr_seats;

static struct seat *seat_at(s32 cpu)
{
	/* See llc_slot. */
	barrier_var(cpu);
	return &seats[cpu & (SCHEDCP_MAX_CPUS - 1)];
}

/*
 * All ones where this CPU would be left to the gang, else 0: also where its turn is over and it has not yet come to a tick.
 * Without branches, for it is asked in a loop: see flat.bpf.h.
 */
static s64 is_free_for(const struct seat *seat, const struct gang *gang, u64 now)
{
	s64 is_other = flat_differ(seat->gang_id, 0) & flat_differ(seat->gang_id, gang->id);
	s64 is_over = ~flat_negative(now - seat->until);
	s64 gives_way = -(s64)seat->gives_way & (-(s64)seat->is_single | flat_negative(gang->began_as - seat->place));

	return is_other & (is_over | gives_way);
}

/* Interrupts as many others as siblings wait, on CPUs that the gang may use. */
static void call_in(struct task_struct *p, const struct gang *gang, u64 now)
{
	s64 waiting = gang->runnable - gang->running;
	u32 cpu;

	bpf_for(cpu, 0, nr_seats) {
		struct seat *seat = seat_at(cpu);
		s64 leaves = is_free_for(seat, gang, now) & flat_negative(-waiting);

		leaves &= -(s64)bpf_cpumask_test_cpu(cpu, p->cpus_ptr);
		seat->must_leave |= leaves & 1;
		seat->gang_id &= ~leaves;
		waiting += leaves;
		if (leaves && cpu < scx_bpf_nr_cpu_ids())
			scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT);
	}
}

/* Could all its threads run at once, and do not? */
static bool lacks_siblings(const struct gang *gang)
{
	return gang->running < gang->runnable && gang->runnable <= (s32)nr_seats;
}

/* All threads have got CPUs: for a whole window, as far as the turn may last. Their seats hear of it at their ticks. */
static void complete_turn(struct gang *gang, u64 now, u64 window)
{
	u64 until = now + window, last = gang->began + 2 * window;

	gang->complete = true;
	gang->until = before(until, last) ? until : last;
	count(COUNT_TOGETHER);
}

static void begin_turn(struct gang *gang, u64 place, u64 now, u64 window)
{
	/* Who is left from a turn before keeps its place, but others do not join it there, or it might never end. */
	gang->place = place == gang->began_as ? now : place;
	gang->began_as = place;
	gang->turn++;
	gang->began = now;
	gang->until = now + window;
	gang->complete = false;
	gang->extended = false;
	gang->stays = gang->gave_way;
	gang->gave_way = false;
}

/* What others may know of the task that runs here. */
static void take_seat(struct seat *seat, const struct gang *gang)
{
	seat->gang_id = gang->id;
	seat->place = gang->began_as;
	seat->until = gang->until;
	seat->is_single = gang->runnable <= 1;
	seat->gives_way = seat->is_single ? !gang->stays : !gang->complete;
}

/* It was told to leave its CPU. A gang keeps its turn and its place, a single has had what there was of its turn. */
static void make_way(struct gang *gang, u64 now)
{
	count(COUNT_PREEMPTED);
	if (gang->runnable > 1)
		return;
	gang->gave_way = before(now, gang->until);
	gang->until = now;
}

#endif
