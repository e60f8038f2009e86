// SPDX-License-Identifier: GPL-2.0-only
/*
 * tickless: one CPU keeps the time for all, so that the others need no tick.
 *
 * Slices are infinite: a task runs until it sleeps or somebody waits for its CPU. That is found out by the central CPU
 * alone. Its timer, which stays on that CPU, looks at every CPU and interrupts those whose task has run for slice_us while
 * another waits for them; half a slice passes between two looks while something waits, HEARTBEAT_NS while nothing does.
 * On a kernel with nohz_full CPUs those have no tick then; on any other the timer interrupts still become fewer, for nobody
 * is interrupted without need.
 *
 * Which CPU is central is no state that could be wrong: it is the one on which the timer fires. When that CPU goes offline
 * the kernel moves its timers to another, which is central from the next look on. The CPU of the parameter takes the role
 * whenever it passes through dispatch or a tick without having it.
 *
 * Waiting tasks are in one queue in the order of arrival, and every CPU takes from it by itself: nobody depends on the
 * central CPU to run, only to have others interrupted. The bound on starvation is one turn, of a slice and a half each.
 */
#include <schedcp/scheduler.bpf.h>
#include <schedcp/stats.bpf.h>

char _license[] SEC("license") = "GPL";

TUNABLE(u32, slice_us, 20000);
TUNABLE(u32, central_cpu, 0);

#define QUEUE 0
#define NOBODY (~0U)
#define HEARTBEAT_NS (100 * NSEC_PER_MSEC)

#define CLOCK_MONOTONIC 1
#define TIMER_CPU_PIN 2 /* BPF_F_TIMER_CPU_PIN */
#define EBUSY 16

enum {
	COUNT_LOOKS = COUNT_OWN, /* times that the central CPU looked at all others */
	COUNT_TAKEN,             /* times that a CPU became central by taking the role */
	COUNT_RESCUED,           /* interrupted for a task in the CPU's own queue, which dispatch does not see */
};

struct seat {
	u64 since; /* when the CPU began to run its task, or began anew because nobody waited; 0: it sleeps */
	s32 pid;   /* of that task */
	bool online;
};

static struct seat seats[SCHEDCP_MAX_CPUS];
static u32 nr_seats;
static u32 central = NOBODY;
static u32 next_seat; /* where the next look begins, so that the same CPU is not interrupted each time */
static bool is_slow;  /* the timer's next look is a heartbeat */

struct watch {
	struct bpf_timer timer;
	struct bpf_cpumask __kptr *wanted; /* the CPUs that waiting tasks could use; the timer's scratch */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct watch);
} watches SEC(".maps");

struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
void bpf_cpumask_release(struct bpf_cpumask *mask) __ksym;
void bpf_cpumask_clear(struct bpf_cpumask *mask) __ksym;
void bpf_cpumask_or(struct bpf_cpumask *to, const struct cpumask *a, const struct cpumask *b) __ksym;

static struct seat *seat_at(u32 cpu)
{
	/* See llc_slot. */
	barrier_var(cpu);
	return &seats[cpu & (SCHEDCP_MAX_CPUS - 1)];
}

static bool is_online(u32 cpu)
{
	return cpu < scx_bpf_nr_cpu_ids() && seat_at(cpu)->online;
}

static u64 limit_ns(void)
{
	return slice_among(slice_us * NSEC_PER_USEC, scx_bpf_dsq_nr_queued(QUEUE));
}

/* Notes which CPUs the first waiting tasks could use. */
static void note_wanted(struct bpf_cpumask *wanted)
{
	struct task_struct *p;
	int seen = 0;

	bpf_cpumask_clear(wanted);
	bpf_for_each(scx_dsq, p, QUEUE, 0) {
		bpf_cpumask_or(wanted, (const struct cpumask *)wanted, p->cpus_ptr);
		if (++seen >= LOOK_AHEAD)
			break;
	}
}

/* Interrupts whoever has run for long enough while another waits, and no more CPUs than there are tasks that wait. */
static void interrupt(const struct cpumask *wanted, u64 now, u64 limit)
{
	u32 first = next_seat, left = scx_bpf_dsq_nr_queued(QUEUE), i;

	bpf_for(i, 0, nr_seats) {
		u32 cpu = (first + i) % nr_seats;
		u64 since = seat_at(cpu)->since;
		/* Before 7.1 a task may be put beside another that came first to an idle CPU; it is in no queue of ours. */
		bool rescue = scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | cpu) > 0;

		if (!since || before(now, since + limit))
			continue;
		if (!rescue && !(left && bpf_cpumask_test_cpu(cpu, wanted)))
			continue;
		/* The range is looked at last, so that verifiers have it in mind. */
		if (!is_online(cpu))
			continue;
		scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT);
		count(rescue ? COUNT_RESCUED : COUNT_PREEMPTED);
		left -= !rescue;
		next_seat = cpu + 1;
	}
}

/* The central CPU's work. */
static int look(void *map, u32 *key, struct watch *watch)
{
	u64 limit = limit_ns();
	struct bpf_cpumask *wanted = watch->wanted;
	u32 first_choice = central_cpu;

	central = bpf_get_smp_processor_id();
	count(COUNT_LOOKS);
	if (wanted) {
		note_wanted(wanted);
		interrupt((const struct cpumask *)wanted, bpf_ktime_get_ns(), limit);
	}
	if (central != first_choice && is_online(first_choice))
		scx_bpf_kick_cpu(first_choice, SCX_KICK_IDLE);
	is_slow = scx_bpf_dsq_nr_queued(QUEUE) <= 0;
	bpf_timer_start(&watch->timer, is_slow ? HEARTBEAT_NS : limit / 2, TIMER_CPU_PIN);
	return 0;
}

/* On the CPU that is, or becomes, central: sees to it that the timer runs here, and soon. */
static void start_timer(u32 here)
{
	struct watch *watch = bpf_map_lookup_elem(&watches, &(u32){0});

	if (!watch)
		return;
	is_slow = false;
	central = here;
	/* Set here and not in init, so that verifiers take the callback for one that may not sleep. */
	if (bpf_timer_set_callback(&watch->timer, look) ||
	    bpf_timer_start(&watch->timer, limit_ns() / 2, TIMER_CPU_PIN))
		central = NOBODY;
}

static void keep_time(void)
{
	u32 here = bpf_get_smp_processor_id(), now = central;

	if (now == NOBODY || (here == central_cpu && now != here)) {
		count(COUNT_TAKEN);
		start_timer(here);
	} else if (now == here && is_slow && scx_bpf_dsq_nr_queued(QUEUE) > 0) {
		start_timer(here);
	}
}

s32 BPF_STRUCT_OPS(tickless_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle) {
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_INF, SCX_ENQ_IMMED);
		count(COUNT_SELECT_IDLE);
	}
	return cpu;
}

void BPF_STRUCT_OPS(tickless_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert_ordered(p, QUEUE, SCX_SLICE_INF, bpf_ktime_get_ns(), enq_flags);
	count(COUNT_ENQUEUED);
	if (wake_idle_cpu_for(p)) {
		count(COUNT_KICKED);
	} else if (is_slow) {
		/* It waits. The central CPU hears of it now if it idles, at its tick if it runs a task, else at the heartbeat. */
		u32 cpu = central;

		if (is_online(cpu))
			scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
	}
}

void BPF_STRUCT_OPS(tickless_dispatch, s32 cpu, struct task_struct *prev)
{
	keep_time();
	if (dsq_move_to_local(QUEUE, SCX_ENQ_IMMED)) {
		count(COUNT_DISPATCHED);
	} else if (can_continue(prev, cpu)) {
		seat_at(cpu)->since = bpf_ktime_get_ns();
		task_set_slice(prev, (u32)cpu == central ? limit_ns() : SCX_SLICE_INF);
		count(COUNT_KEPT);
	} else {
		count(COUNT_IDLE);
	}
}

void BPF_STRUCT_OPS(tickless_running, struct task_struct *p)
{
	s32 cpu = scx_bpf_task_cpu(p);

	/* One that goes on after a real-time task has run before: its time counts on, or it might never be over. */
	if (seat_at(cpu)->pid != p->pid || !seat_at(cpu)->since)
		seat_at(cpu)->since = bpf_ktime_get_ns();
	seat_at(cpu)->pid = p->pid;
	/* With a slice that ends the central CPU keeps its tick, and hears at once when somebody begins to wait. */
	if ((u32)cpu == central)
		task_set_slice(p, limit_ns());
}

void BPF_STRUCT_OPS(tickless_tick, struct task_struct *p)
{
	keep_time();
}

void BPF_STRUCT_OPS(tickless_stopping, struct task_struct *p, bool runnable)
{
	if (!runnable)
		seat_at(scx_bpf_task_cpu(p))->since = 0;
}

/* One queue for all CPUs, and a timer that the kernel moves: nothing is left behind by a CPU that goes. */
void BPF_STRUCT_OPS(tickless_cpu_online, s32 cpu)
{
	seat_at(cpu)->online = true;
}

void BPF_STRUCT_OPS(tickless_cpu_offline, s32 cpu)
{
	seat_at(cpu)->online = false;
	seat_at(cpu)->since = 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(tickless_init)
{
	struct watch *watch = bpf_map_lookup_elem(&watches, &(u32){0});
	const struct cpumask *online = scx_bpf_get_online_cpumask();
	struct bpf_cpumask *wanted;
	s32 error;
	u32 cpu;

	/* What an earlier attachment of the same load left is void. CPUs cannot come or go during init. */
	nr_seats = nr_cpus();
	bpf_for(cpu, 0, nr_seats) {
		seat_at(cpu)->online = bpf_cpumask_test_cpu(cpu, online);
		seat_at(cpu)->since = 0;
	}
	scx_bpf_put_cpumask(online);
	central = NOBODY;
	error = scx_bpf_create_dsq(QUEUE, -1);
	if (error || !watch)
		return error ?: -ENOMEM;
	wanted = bpf_cpumask_create();
	if (!wanted)
		return -ENOMEM;
	wanted = bpf_kptr_xchg(&watch->wanted, wanted);
	if (wanted)
		bpf_cpumask_release(wanted);
	error = bpf_timer_init(&watch->timer, &watches, CLOCK_MONOTONIC);
	return error == -EBUSY ? 0 : error;
}

void BPF_STRUCT_OPS(tickless_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(tickless_ops,
	  .select_cpu = (void *)tickless_select_cpu,
	  .enqueue = (void *)tickless_enqueue,
	  .dispatch = (void *)tickless_dispatch,
	  .running = (void *)tickless_running,
	  .tick = (void *)tickless_tick,
	  .stopping = (void *)tickless_stopping,
	  .cpu_online = (void *)tickless_cpu_online,
	  .cpu_offline = (void *)tickless_cpu_offline,
	  .init = (void *)tickless_init,
	  .exit = (void *)tickless_exit,
	  .timeout_ms = 30000,
	  .name = "tickless");
