// SPDX-License-Identifier: GPL-2.0-only
/*
 * gang: the threads of one process run at the same time, in turns.
 *
 * Threads that wait for one another (barriers, spin locks, message passing) lose a whole slice whenever one of them is not
 * on a CPU. So all threads of a process share one place in the queue, that of the first of them that asked for a turn, and
 * one window of time: whoever gets a CPU during the window runs until its end, whoever becomes runnable during it joins at
 * the front. A turn is this:
 *
 *  - It begins when the first thread gets a CPU. Where siblings wait, others give way: processes with a single runnable
 *    thread, and those that have not got all their threads on CPUs either and have a later place. Their CPUs are
 *    interrupted, and the siblings are next in the queue.
 *  - When the window ends while siblings still wait, others have to give way once more, and there is a second window.
 *    Without this two gangs could share the CPUs unevenly for ever, a thread of each at a time.
 *  - When the last sibling has got a CPU, the window begins anew. So they are all there for a whole window, where the
 *    turn is not over before: it lasts two windows at most.
 *  - What is left in the queue afterwards goes on with the old place, but nobody joins there any more.
 *
 * What bounds the wait: places are times, and a new turn needs a new place, behind all that wait. A gang that gave way
 * keeps its place, and gave way to one that was before it anyway. A single that gave way gets a new place, but does not
 * give way in its next turn: it has at least one whole window in every two turns.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/gangs.bpf.h>
#include <schedcp/stats.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, turn_us, 20000);

#define QUEUE 0

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

static u64 last_id;

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
	bool must_leave = seat->must_leave;

	seat->must_leave = false;
	if (must_leave && !gang->complete) {
		make_way(gang, now);
		return 0;
	}
	if (state->yielded || seat->turn != gang->turn)
		return 0;
	return before(now, gang->until) ? gang->until - now : 0;
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
	struct gang *gang;
	bool begins;

	if (!state)
		return;
	gang = gang_of(p, state);
	state->is_running = true;
	state->yielded = false;
	__sync_fetch_and_add(&gang->running, 1);
	begins = state->is_new && !before(now, gang->until);
	state->is_new = false;
	if (begins)
		begin_turn(gang, p->scx.dsq_vtime, now, window);
	seat->turn = gang->turn;
	seat->must_leave = false;
	if (gang->runnable > 1 && !gang->complete && gang->running >= gang->runnable)
		complete_turn(gang, now, window);
	take_seat(seat, gang);
	task_set_slice(p, at_least(before(now, gang->until) ? gang->until - now : 0));
	if (gang->runnable > 1 && begins) {
		count(COUNT_TURNS);
		call_in(p, gang, now);
	}
}

/* The window is over and siblings wait: the second one, if this task belongs to the turn at all. */
void BPF_STRUCT_OPS(gang_tick, struct task_struct *p)
{
	struct seat *seat = seat_at(scx_bpf_task_cpu(p));
	struct task_state *state = state_of(p);
	u64 now = bpf_ktime_get_ns();
	struct gang *gang;

	if (!state || seat->must_leave)
		return;
	gang = gang_of(p, state);
	if (seat->turn != gang->turn)
		return;
	if (!before(now, gang->until) && !gang->complete && !gang->extended && lacks_siblings(gang)) {
		gang->extended = true;
		gang->until = now + window_ns();
		task_set_slice(p, gang->until - now);
		call_in(p, gang, now);
	}
	take_seat(seat, gang);
}

void BPF_STRUCT_OPS(gang_stopping, struct task_struct *p, bool runnable)
{
	struct seat *seat = seat_at(scx_bpf_task_cpu(p));
	struct task_state *state = state_of(p);
	struct gang *gang;

	seat->gang_id = 0;
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
	seat_at(cpu)->gang_id = 0;
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
	  .tick = (void *)gang_tick,
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
