// SPDX-License-Identifier: GPL-2.0-only
/*
 * layered: tasks are sorted into layers by rules, and each layer gets its share of every CPU.
 *
 * The rules and the layers are data, in the section .data.layers: who runs the machine may change them at any time, and
 * tasks are sorted anew when the version changes. A layer has a weight; it may be guaranteed a part of each CPU that it
 * wants, and it may be capped, which counts while others wait. Within a layer tasks share by weight, as in vtime.
 *
 * Shares are kept for each CPU on its own, and so nothing is shared between CPUs but the queues, and what a layer gets on
 * one CPU takes nothing from its tasks that are bound to another. A CPU serves, of the layers with waiting tasks:
 *
 *  1. those to which it owes time, the one that was served longest ago first. What it owes grows with the guarantee, and
 *     with at least one thousandth of real time for each waiting task, up to one half: no layer starves, whatever the
 *     weights, caps and guarantees are, and a turn of its tasks ends in time;
 *  2. those below their cap, the least virtual time first: CPU time divided by weight;
 *  3. those above their cap.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/flat.bpf.h>
#include <schedcp/layers.bpf.h>
#include <schedcp/stats.bpf.h>
#include <schedcp/vclock.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, slice_us, 3000);

/* Of the tasks in a layer, see vclock.bpf.h. */
#define CLOCK_SHARE 50
#define DEBT_MAX_NS (100 * NSEC_PER_MSEC)
#define LAG_NS (10 * NSEC_PER_MSEC)
/* Of the layers on a CPU. */
#define LAYER_DEBT_NS ((s64)(200 * NSEC_PER_MSEC))
#define OWED_MAX_NS ((s64)(20 * NSEC_PER_MSEC))
#define SCORE_RANGE ((s64)NSEC_PER_SEC << 8)
#define FLOOR_MOST_PERMILLE 500

/* CPU time of each layer, in ns: the own counters 16 … 31. */
#define COUNT_LAYER_NS COUNT_OWN

struct task_state {
	u64 counted;   /* CPU time of the task up to which it was charged or forgiven, in ns */
	u64 queued_at; /* 0: it did not pass a queue */
	struct layer_choice choice;
	bool charged; /* it had to queue for its present run, so the run is charged */
	bool yielded;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

/* What a CPU has given to a layer. All in ns. */
struct account {
	s64 owed;      /* what the layer may have before all others */
	s64 allowed;   /* what it may have before it is above its cap */
	u64 vtime;     /* what it has had, divided by its weight */
	u64 served_at;
};

struct accounts {
	struct account of[LAYERS];
	u64 clock;       /* the virtual time of the layer that was served last */
	u64 reckoned_at;
	u32 next; /* the layer to serve next */
	u32 turn;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct accounts);
} books SEC(".maps");

static struct vclock clocks[LAYERS];

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static struct accounts *this_book(void)
{
	return bpf_map_lookup_elem(&books, &(u32){0});
}

static u64 slice_ns(u32 layer)
{
	return slice_among(slice_us * NSEC_PER_USEC, scx_bpf_dsq_nr_queued(layer));
}

static u64 place_of(const struct task_struct *p, u32 layer)
{
	return vclock_place(&clocks[layer_slot(layer)], p->scx.dsq_vtime, LAG_NS, DEBT_MAX_NS);
}

/*
 * The smaller, the sooner: below 0 by how long it was not served, or its virtual time, or that behind all of these. Without
 * branches, like all that the loop over the layers does: it is then one path, which a verifier can follow to the end.
 */
static s64 score_of(const struct account *account, u64 clock, u64 now)
{
	s64 unserved = flat_within(now - account->served_at, 1, SCORE_RANGE), score;

	score = flat_within(account->vtime - clock, 0, LAYER_DEBT_NS) + ((account->allowed >> 63) & SCORE_RANGE);
	return flat_choice(-account->owed, -unserved, score);
}

/*
 * Brings this CPU's book up to date and chooses the layer to serve next, of those with waiting tasks and the running task's
 * own. At ticks and when a task stops, which is before every dispatch of a CPU that was not idle.
 */
static void choose_next(struct accounts *book, u32 running, u64 now)
{
	u64 elapsed = flat_least(now - book->reckoned_at, NSEC_PER_SEC), chosen = book->next;
	s64 least = 4 * SCORE_RANGE; /* more than a layer with waiting tasks has, and less than one without */
	u32 layer;

	book->reckoned_at = now;
	bpf_for(layer, 0, LAYERS) {
		struct account *account = &book->of[layer_slot(layer)];
		s64 waiting = scx_bpf_dsq_nr_queued(layer), idle, permille, score;

		waiting += 1 + flat_differ(layer, running);
		idle = (waiting - 1) >> 63;
		permille = flat_within(waiting, layer_guarantee(layer), FLOOR_MOST_PERMILLE) & ~idle;
		account->owed = flat_within(account->owed + elapsed * permille / 1000, -OWED_MAX_NS, OWED_MAX_NS);
		account->allowed += elapsed * layer_cap(layer) / 1000;
		account->allowed = flat_least(account->allowed, OWED_MAX_NS);
		score = score_of(account, book->clock, now) + (idle & 8 * SCORE_RANGE);
		chosen = flat_choice(score - least, layer, chosen);
		least = flat_least(score, least);
	}
	book->next = chosen;
}

/* Enters CPU time in this CPU's book. */
static void charge(struct accounts *book, u32 layer, u64 used, u64 now)
{
	struct account *account = &book->of[layer_slot(layer)];
	s64 ahead;

	account->owed = flat_most(account->owed - used, -OWED_MAX_NS);
	account->allowed = flat_most(account->allowed - used, -OWED_MAX_NS);
	ahead = flat_most(account->vtime - book->clock, 0) + used * WEIGHT_NICE_0 / layer_weight(layer);
	account->vtime = book->clock + flat_least(ahead, LAYER_DEBT_NS);
	account->served_at = now;
	count_more(COUNT_LAYER_NS + layer_slot(layer), used);
}

/* Brings virtual time and accounts up to date with what the task has run. */
static void settle(struct task_struct *p, struct task_state *state, bool goes_on)
{
	u64 used = p->se.sum_exec_runtime - state->counted, now = clock_now();
	struct accounts *book = this_book();
	u32 layer = layer_slot(state->choice.layer);

	state->counted = p->se.sum_exec_runtime;
	vclock_push(&clocks[layer], now, CLOCK_SHARE);
	if (state->charged)
		task_set_vtime(p, p->scx.dsq_vtime + virtual_time(used, p));
	if (!book)
		return;
	charge(book, layer, used, now);
	choose_next(book, goes_on ? layer : LAYERS, now);
}

/* Sorts the task anew where that is due. In another layer it begins at that layer's clock. */
static void sort(struct task_struct *p, struct task_state *state)
{
	u32 old = state->choice.layer;

	layer_choose(p, &state->choice, clock_now());
	if (state->choice.layer != old)
		task_set_vtime(p, clocks[layer_slot(state->choice.layer)].now);
}

s32 BPF_STRUCT_OPS(layered_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_state *state;
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle) {
		state = state_of(p);
		if (state)
			state->charged = false;
		dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(0), SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

void BPF_STRUCT_OPS(layered_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);

	if (state)
		sort(p, state);
}

void BPF_STRUCT_OPS(layered_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *state = state_of(p);
	u64 now = clock_now();
	u32 layer = 0;

	if (state) {
		sort(p, state);
		layer = layer_slot(state->choice.layer);
		state->charged = true;
		state->queued_at = now;
	}
	vclock_push(&clocks[layer_slot(layer)], now, CLOCK_SHARE);
	dsq_insert_ordered(p, layer, slice_ns(layer), place_of(p, layer), enq_flags);
	count(COUNT_ENQUEUED);
	if (wake_idle_cpu_for(p))
		count(COUNT_KICKED);
}

/*
 * The layer that was chosen, then the others in turn, for that layer's tasks may all be bound to other CPUs. That it was
 * chosen in vain counts as if it had been served, or it would be chosen again and again.
 */
static bool serve(struct accounts *book, u32 layer)
{
	struct account *account = &book->of[layer_slot(layer)];
	u32 i;

	if (dsq_move_to_local(layer, SCX_ENQ_IMMED))
		return true;
	if (scx_bpf_dsq_nr_queued(layer)) {
		account->owed = 0;
		account->vtime = book->clock + LAYER_DEBT_NS;
	}
	book->turn++;
	bpf_for(i, 0, LAYERS) {
		if (dsq_move_to_local((book->turn + i) % LAYERS, SCX_ENQ_IMMED))
			return count(COUNT_STOLEN);
	}
	return false;
}

void BPF_STRUCT_OPS(layered_dispatch, s32 cpu, struct task_struct *prev)
{
	bool runnable = can_continue(prev, cpu), stays = false;
	struct task_state *state = runnable ? state_of(prev) : NULL;
	struct accounts *book = this_book();
	u32 next;

	if (!book)
		return;
	next = layer_slot(book->next);
	book->clock = later(book->clock, book->of[layer_slot(next)].vtime);
	if (state && state->choice.layer == next)
		stays = keeps_turn(state, next, cpu, place_of(prev, next));
	end_dispatch(!stays && serve(book, next), runnable, prev, slice_ns(next));
}

/* Even a task that is behind gives way when it asks to, for one turn. */
bool BPF_STRUCT_OPS(layered_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_state *state = state_of(from);

	return give_way(from, to, state);
}

void BPF_STRUCT_OPS(layered_running, struct task_struct *p)
{
	struct task_state *state = state_of(p);
	u64 now = clock_now();
	u32 layer;

	if (!state)
		return;
	layer = state->choice.layer;
	state->counted = p->se.sum_exec_runtime;
	state->yielded = false;
	if (state->queued_at)
		count_more(COUNT_WAITED_NS, now - state->queued_at);
	state->queued_at = 0;
	/* Only a task that won against others tells the time: one that found an idle CPU may be far ahead. */
	if (state->charged)
		vclock_won(&clocks[layer_slot(layer)], p->scx.dsq_vtime);
}

void BPF_STRUCT_OPS(layered_tick, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (state)
		settle(p, state, true);
}

void BPF_STRUCT_OPS(layered_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *state = state_of(p);

	if (state)
		settle(p, state, runnable);
}

void BPF_STRUCT_OPS(layered_enable, struct task_struct *p)
{
	task_set_vtime(p, clocks[0].now);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(layered_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

/* The queues are for all CPUs: nothing is left behind by one that goes. The operations exist so that the scheduler stays. */
void BPF_STRUCT_OPS(layered_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(layered_cpu_offline, s32 cpu)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(layered_init)
{
	u32 layer;

	bpf_for(layer, 0, LAYERS) {
		s32 error = scx_bpf_create_dsq(layer, -1);

		if (error)
			return error;
		vclock_start(&clocks[layer_slot(layer)]);
	}
	return 0;
}

void BPF_STRUCT_OPS(layered_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(layered_ops,
	  .select_cpu = (void *)layered_select_cpu,
	  .enqueue = (void *)layered_enqueue,
	  .dispatch = (void *)layered_dispatch,
	  .tick = (void *)layered_tick,
	  .runnable = (void *)layered_runnable,
	  .running = (void *)layered_running,
	  .stopping = (void *)layered_stopping,
	  .yield = (void *)layered_yield,
	  .enable = (void *)layered_enable,
	  .init_task = (void *)layered_init_task,
	  .cpu_online = (void *)layered_cpu_online,
	  .cpu_offline = (void *)layered_cpu_offline,
	  .init = (void *)layered_init,
	  .exit = (void *)layered_exit,
	  .timeout_ms = 30000,
	  .name = "layered");
