// SPDX-License-Identifier: GPL-2.0-only
/*
 * gang: the threads of one process run at the same time, in turns.
 *
 * Threads that wait for one another (barriers, spin locks, message passing) lose a whole slice whenever one of them is not
 * on a CPU. So all threads of a process share one place in the queue, that of the first of them that asked for a turn, and
 * one window of time: whoever gets a CPU during the window runs until its end, whoever becomes runnable during it joins at
 * the front. A turn is this:
 *
 *  - It begins when the first thread gets a CPU. Where siblings wait, processes with a single runnable thread give way:
 *    their CPUs are interrupted, and the siblings are next in the queue.
 *  - When the last sibling has got a CPU, the window begins anew, once. So they are all there for a whole window, and a
 *    turn lasts at most two.
 *  - What is left in the queue afterwards goes on with the old place, but nobody joins there any more.
 *
 * What bounds the wait: places are times, and a new turn needs a new place, behind all that wait. A single that gave way
 * gets a new place too, but does not give way in its next turn: it has at least one whole window in every two turns.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/stats.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, turn_us, 20000);

#define QUEUE 0

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
	u64 until;    /* the end of the latest */
	u64 place;    /* in the queue, for threads that are queued now */
	u64 began_as; /* the place with which its latest turn began */
	bool complete; /* all threads were running at once in this turn */
	bool gave_way; /* in its latest turn, so it will not in the next */
	bool stays;    /* it does not give way in this turn */
};

struct task_state {
	u64 gang_id; /* where it is counted */
	bool is_runnable;
	bool is_running;
	bool is_new; /* it came to its CPU from a queue or from sleep, and does not go on after a real-time task */
	bool yielded;
	struct gang gang; /* of the process whose first thread this is */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

/* What runs on a CPU. */
struct seat {
	u64 single;      /* the process' id, where it has one runnable thread and would give way; else 0 */
	u32 turn;        /* in which it got the CPU */
	bool must_leave; /* was told to */
};

static struct seat seats[SCHEDCP_MAX_CPUS];
static u32 nr_seats;
static u64 last_id;

static struct seat *seat_at(s32 cpu)
{
	/* See llc_slot. */
	barrier_var(cpu);
	return &seats[cpu & (SCHEDCP_MAX_CPUS - 1)];
}

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static u64 at_least(u64 slice)
{
	return slice < SLICE_MIN_NS ? SLICE_MIN_NS : slice;
}

static u64 window_ns(void)
{
	return slice_among(turn_us * NSEC_PER_USEC, scx_bpf_dsq_nr_queued(QUEUE));
}

/*
 * The gang of a task. A thread that calls exec becomes its process' first thread, and the storage of the one before is
 * gone: then what the task counts for is carried over. The process number stays the same and would not tell.
 */
static struct gang *gang_of(struct task_struct *p, struct task_state *state)
{
	struct task_state *first = bpf_task_storage_get(&tasks, p->group_leader, 0, 0);
	struct gang *gang = first ? &first->gang : &state->gang;

	if (state->gang_id != gang->id) {
		state->gang_id = gang->id;
		__sync_fetch_and_add(&gang->runnable, state->is_runnable);
		__sync_fetch_and_add(&gang->running, state->is_running);
	}
	return gang;
}

/* Interrupts as many singles as siblings wait, on CPUs that the gang may use. */
static void call_in(struct task_struct *p, u64 id, s32 waiting)
{
	u32 cpu;

	bpf_for(cpu, 0, nr_seats) {
		struct seat *seat = seat_at(cpu);

		if (waiting <= 0)
			break;
		if (!seat->single || seat->single == id || !bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		seat->single = 0;
		seat->must_leave = true;
		waiting--;
		if (cpu < scx_bpf_nr_cpu_ids())
			scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT);
	}
}

static void begin_turn(struct gang *gang, u64 place, u64 now, u64 window)
{
	/* Who is left from a turn before keeps its place, but others do not join it there, or it might never end. */
	gang->place = place == gang->began_as ? now : place;
	gang->began_as = place;
	gang->turn++;
	gang->until = now + window;
	gang->complete = false;
	gang->stays = gang->gave_way;
	gang->gave_way = false;
}

s32 BPF_STRUCT_OPS(gang_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_state *state = state_of(p);
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle) {
		if (state)
			state->is_new = true;
		/* It passes no queue, and its place is that of a task that was queued now. */
		task_set_vtime(p, bpf_ktime_get_ns());
		dsq_insert(p, SCX_DSQ_LOCAL, window_ns(), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

static u64 place_of(struct task_struct *p, struct task_state *state, u64 now)
{
	struct gang *gang;

	if (!state)
		return now;
	state->is_new = true;
	/* A task that yielded goes behind all that are queued now, this once. */
	if (state->yielded)
		return now;
	gang = gang_of(p, state);
	if (!before(now, gang->until) && before(gang->place, gang->until))
		gang->place = now;
	return gang->place;
}

void BPF_STRUCT_OPS(gang_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 place = place_of(p, state_of(p), bpf_ktime_get_ns());

	dsq_insert_ordered(p, QUEUE, window_ns(), place, enq_flags);
	count(COUNT_ENQUEUED);
	if (wake_idle_cpu_for(p))
		count(COUNT_KICKED);
}

/*
 * Time that is left of the turn in which the task got its CPU; 0 where it has to leave it to whoever waits. A new turn that
 * a sibling has begun meanwhile is not its own, or siblings could keep each other on their CPUs for ever.
 */
static u64 left_of(struct task_struct *p, struct task_state *state, struct seat *seat, u64 now)
{
	struct gang *gang = gang_of(p, state);

	if (seat->must_leave) {
		gang->gave_way = true;
		gang->until = now;
		count(COUNT_PREEMPTED);
	}
	seat->must_leave = false;
	if (state->yielded || seat->turn != gang->turn || !before(now, gang->until))
		return 0;
	return gang->until - now;
}

void BPF_STRUCT_OPS(gang_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_state *state = can_continue(prev, cpu) ? state_of(prev) : NULL;
	u64 now = bpf_ktime_get_ns(), left = state ? left_of(prev, state, seat_at(cpu), now) : 0;

	if (!left && dsq_move_to_local(QUEUE, SCX_ENQ_IMMED)) {
		count(COUNT_DISPATCHED);
	} else if (state) {
		/* Either the window was begun anew since it got its slice, or nobody waits. */
		task_set_slice(prev, left ? at_least(left) : window_ns());
		count(COUNT_KEPT);
	} else {
		count(COUNT_IDLE);
	}
}

bool BPF_STRUCT_OPS(gang_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_state *state = state_of(from);

	return give_way(from, to, state);
}

void BPF_STRUCT_OPS(gang_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);
	struct gang *gang;

	if (!state || state->is_runnable)
		return;
	gang = gang_of(p, state);
	state->is_runnable = true;
	__sync_fetch_and_add(&gang->runnable, 1);
}

void BPF_STRUCT_OPS(gang_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct task_state *state = state_of(p);
	struct gang *gang;

	if (!state || !state->is_runnable)
		return;
	gang = gang_of(p, state);
	state->is_runnable = false;
	__sync_fetch_and_sub(&gang->runnable, 1);
}

void BPF_STRUCT_OPS(gang_running, struct task_struct *p)
{
	struct task_state *state = state_of(p);
	struct seat *seat = seat_at(scx_bpf_task_cpu(p));
	u64 now = bpf_ktime_get_ns(), window = window_ns();
	bool begins, is_gang;
	struct gang *gang;

	if (!state)
		return;
	gang = gang_of(p, state);
	state->is_running = true;
	state->yielded = false;
	__sync_fetch_and_add(&gang->running, 1);
	is_gang = gang->runnable > 1;
	begins = state->is_new && !before(now, gang->until);
	state->is_new = false;
	if (begins)
		begin_turn(gang, p->scx.dsq_vtime, now, window);
	seat->must_leave = false;
	seat->turn = gang->turn;
	seat->single = is_gang || gang->stays ? 0 : gang->id;
	if (is_gang && !gang->complete && gang->running >= gang->runnable) {
		gang->complete = true;
		gang->until = now + window;
		count(COUNT_TOGETHER);
	}
	task_set_slice(p, at_least(before(now, gang->until) ? gang->until - now : 0));
	if (is_gang && begins) {
		count(COUNT_TURNS);
		call_in(p, gang->id, gang->runnable - gang->running);
	}
}

void BPF_STRUCT_OPS(gang_stopping, struct task_struct *p, bool runnable)
{
	struct seat *seat = seat_at(scx_bpf_task_cpu(p));
	struct task_state *state = state_of(p);
	struct gang *gang;

	seat->single = 0;
	if (!state || !state->is_running)
		return;
	gang = gang_of(p, state);
	state->is_running = false;
	__sync_fetch_and_sub(&gang->running, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(gang_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *state = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		return -ENOMEM;
	__builtin_memset(state, 0, sizeof(*state));
	state->gang.id = __sync_add_and_fetch(&last_id, 1);
	state->gang.until = bpf_ktime_get_ns();
	state->gang.place = state->gang.until - 1;
	return 0;
}

/* One queue for all CPUs: nothing is left behind by a CPU that goes. */
void BPF_STRUCT_OPS(gang_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(gang_cpu_offline, s32 cpu)
{
	seat_at(cpu)->single = 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(gang_init)
{
	nr_seats = nr_cpus();
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(gang_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(gang_ops,
	  .select_cpu = (void *)gang_select_cpu,
	  .enqueue = (void *)gang_enqueue,
	  .dispatch = (void *)gang_dispatch,
	  .runnable = (void *)gang_runnable,
	  .running = (void *)gang_running,
	  .stopping = (void *)gang_stopping,
	  .quiescent = (void *)gang_quiescent,
	  .yield = (void *)gang_yield,
	  .init_task = (void *)gang_init_task,
	  .cpu_online = (void *)gang_cpu_online,
	  .cpu_offline = (void *)gang_cpu_offline,
	  .init = (void *)gang_init,
	  .exit = (void *)gang_exit,
	  .timeout_ms = 30000,
	  .name = "gang");
