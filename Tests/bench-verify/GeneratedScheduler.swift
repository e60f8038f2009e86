/// A scheduler of a thousand lines as people write them: many bands of tasks, each with its own idea of who belongs to it,
/// of slices and of order, served in turn with a bound on every wait.
struct GeneratedScheduler {
    let text: String

    init(lines: Int) {
        // 36 lines each, and some 150 that do not depend on their number.
        let bands = max(2, (lines - 130) / 36)
        var parts = [Self.head(bands)]
        for band in 0..<bands { parts.append(Self.band(band, of: bands)) }
        parts.append(Self.operations(bands))
        text = parts.joined(separator: "\n")
    }

    private static func head(_ bands: Int) -> String {
        """
        // SPDX-License-Identifier: GPL-2.0-only
        /* Bands of tasks by weight and by how they used the CPU so far. Made by bench-verify. */
        #include <schedcp/scheduler.bpf.h>

        char _license[] SEC("license") = "GPL";

        const volatile __u32 slice_us = 10000;

        #define BANDS \(bands)

        struct task_state {
        \tu64 average; /* of a turn, in ns */
        \tu64 began;
        \tu32 turns;
        \tu32 band;
        };

        struct {
        \t__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        \t__uint(map_flags, BPF_F_NO_PREALLOC);
        \t__type(key, int);
        \t__type(value, struct task_state);
        } tasks SEC(".maps");

        struct band_stats {
        \tu64 placed;
        \tu64 served;
        };

        static struct band_stats stats[BANDS];

        static struct task_state *state_of(struct task_struct *p)
        {
        \treturn bpf_task_storage_get(&tasks, p, 0, 0);
        }

        """
    }

    /// Every third one is ordered by time, and every second one looks at sleepers.
    private static func band(_ band: Int, of bands: Int) -> String {
        let name = "band_\(band)"
        let least = 1 + band * 20
        let insertion =
            band % 3 == 0
            ? "dsq_insert_ordered(p, \(band), slice, clock_now() - p->scx.weight, enq_flags);"
            : "dsq_insert(p, \(band), slice, enq_flags);"
        let question =
            band % 2 == 0
            ? "p->scx.weight >= \(least) && state->average < \((band + 1) * 50) * NSEC_PER_USEC"
            : "p->scx.weight >= \(least) && (state->turns & \((band & 7) + 1))"
        return """
            /* Band \(band): weights from \(least) on. */
            static bool \(name)_takes(const struct task_struct *p, const struct task_state *state)
            {
            \tif (state->turns < \(band % 5))
            \t\treturn false;
            \treturn \(question);
            }

            static u64 \(name)_slice(const struct task_struct *p, const struct task_state *state)
            {
            \tu64 slice = slice_us * NSEC_PER_USEC;

            \tif (state->average > \(band + 2) * NSEC_PER_MSEC)
            \t\tslice += slice / \(band % 4 + 2);
            \tif (p->scx.weight < \(least + 50))
            \t\tslice -= slice / \(band % 3 + 3);
            \treturn slice_among(slice, scx_bpf_dsq_nr_queued(\(band)));
            }

            static __noinline int \(name)_place(struct task_struct *p, struct task_state *state, u64 enq_flags)
            {
            \tu64 slice;

            \tif (!state)
            \t\treturn 0;
            \tif (!\(name)_takes(p, state))
            \t\treturn 0;
            \tslice = \(name)_slice(p, state);
            \tstate->band = \(band);
            \t__sync_fetch_and_add(&stats[\(band)].placed, 1);
            \t\(insertion)
            \treturn 1;
            }

            """
    }

    private static func operations(_ bands: Int) -> String {
        let choices = (0..<bands).map { band in
            "\tif (band_\(band)_place(p, state, enq_flags))\n\t\treturn 1;"
        }.joined(separator: "\n")
        return """
            #define REST BANDS

            static __noinline int place(struct task_struct *p, struct task_state *state, u64 enq_flags)
            {
            \(choices)
            \treturn 0;
            }

            s32 BPF_STRUCT_OPS(generated_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
            {
            \tbool idle = false;
            \ts32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

            \tif (idle)
            \t\tdsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
            \treturn cpu;
            }

            #define TURNS 1024
            static u32 order[TURNS], last, next, calls;

            /* A turn for the task's band, so that each task counts alike, however many are in its band. */
            void BPF_STRUCT_OPS(generated_enqueue, struct task_struct *p, u64 enq_flags)
            {
            \tstruct task_state *state = state_of(p);
            \tu32 band = REST, turn = __sync_fetch_and_add(&last, 1);

            \tif (!state || !place(p, state, enq_flags))
            \t\tdsq_insert(p, REST, slice_us * NSEC_PER_USEC, enq_flags);
            \telse
            \t\tband = state->band;
            \tbarrier_var(turn);
            \torder[turn & (TURNS - 1)] = band;
            \twake_idle_cpu_for(p);
            }

            /* Every eighth call begins with the next band, so that tasks bound to this CPU come first again and again. */
            void BPF_STRUCT_OPS(generated_dispatch, s32 cpu, struct task_struct *prev)
            {
            \tu32 call = __sync_fetch_and_add(&calls, 1), turn = next, first, i;

            \tbarrier_var(turn);
            \tfirst = call % 8 ? order[turn & (TURNS - 1)] : call / 8;
            \tbpf_for(i, 0, BANDS + 1) {
            \t\tif (dsq_move_to_local((first + i) % (BANDS + 1), 0)) {
            \t\t\t__sync_fetch_and_add(&next, 1);
            \t\t\treturn;
            \t\t}
            \t}
            }

            void BPF_STRUCT_OPS(generated_running, struct task_struct *p)
            {
            \tstruct task_state *state = state_of(p);

            \tif (state) {
            \t\tstate->began = clock_now();
            \t\tif (state->band < BANDS)
            \t\t\t__sync_fetch_and_add(&stats[state->band].served, 1);
            \t}
            }

            void BPF_STRUCT_OPS(generated_stopping, struct task_struct *p, bool runnable)
            {
            \tstruct task_state *state = state_of(p);

            \tif (state) {
            \t\tu64 ran = clock_now() - state->began;

            \t\tstate->average = state->average - state->average / 8 + ran / 8;
            \t\tstate->turns++;
            \t}
            }

            s32 BPF_STRUCT_OPS_SLEEPABLE(generated_init_task, struct task_struct *p, struct scx_init_task_args *args)
            {
            \tif (!bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE))
            \t\treturn -ENOMEM;
            \treturn 0;
            }

            void BPF_STRUCT_OPS(generated_cpu_online, s32 cpu)
            {
            }

            void BPF_STRUCT_OPS(generated_cpu_offline, s32 cpu)
            {
            }

            s32 BPF_STRUCT_OPS_SLEEPABLE(generated_init)
            {
            \tu32 i;

            \tbpf_for(i, 0, BANDS + 1) {
            \t\ts32 error = scx_bpf_create_dsq(i, -1);

            \t\tif (error)
            \t\t\treturn error;
            \t}
            \treturn 0;
            }

            void BPF_STRUCT_OPS(generated_exit, struct scx_exit_info *info)
            {
            \texit_record(info);
            }

            SCHEDULER(generated_ops,
            \t  .select_cpu = (void *)generated_select_cpu,
            \t  .enqueue = (void *)generated_enqueue,
            \t  .dispatch = (void *)generated_dispatch,
            \t  .running = (void *)generated_running,
            \t  .stopping = (void *)generated_stopping,
            \t  .init_task = (void *)generated_init_task,
            \t  .cpu_online = (void *)generated_cpu_online,
            \t  .cpu_offline = (void *)generated_cpu_offline,
            \t  .init = (void *)generated_init,
            \t  .exit = (void *)generated_exit,
            \t  .timeout_ms = 30000,
            \t  .name = "generated");

            """
    }
}
