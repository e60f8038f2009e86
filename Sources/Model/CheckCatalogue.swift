/// A check of the verifier: what it is about, why, and how to mend what it finds.
package struct CheckDescription: Hashable, Sendable {
    package var name: String
    /// A few words.
    package var title: String
    package var why: String
    package var remedy: String
    /// Of its findings, unless the rules say otherwise.
    package var severity: Finding.Severity
    /// Who makes it.
    package var stage: VerificationStage

    package init(
        name: String, title: String, why: String, remedy: String, severity: Finding.Severity,
        stage: VerificationStage = .static
    ) {
        self.name = name
        self.title = title
        self.why = why
        self.remedy = remedy
        self.severity = severity
        self.stage = stage
    }
}

/// Every check by name. `docs/checks.md` is the same as a table.
package enum CheckCatalogue {
    package static let all: [CheckDescription] = compile + tasks + queues + service + shape + kernel + dynamic

    private static let byName: [String: CheckDescription] = Dictionary(
        all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    package static func named(_ name: String) -> CheckDescription? { byName[name] }

    /// The checks of one stage, in order.
    package static func of(_ stage: VerificationStage) -> [CheckDescription] { all.filter { $0.stage == stage } }

    private static func check(
        _ name: String, _ title: String, why: String, remedy: String, severity: Finding.Severity = .error,
        _ stage: VerificationStage = .static
    ) -> CheckDescription {
        CheckDescription(name: name, title: title, why: why, remedy: remedy, severity: severity, stage: stage)
    }

    private static let compile: [CheckDescription] = [
        check(
            "compile", "the source compiles", why: "The compiler refuses it.", remedy: "See the compiler's message.",
            .compile),
        check(
            "compile-include", "only headers of the allowed folders are included",
            why: "A candidate may read no file of the machine that compiles it.",
            remedy: "Include SchedCP's headers, or name a folder with -I.", .compile),
        check(
            "compile-limits", "compilation stays within its limits",
            why: "Time, memory and output of the compiler are bounded, whatever the source is.",
            remedy: "Make the source smaller: macros that unfold, large tables, deep includes.", .compile),
        check(
            "object", "the object can be read and fits the kernel",
            why: "What cannot be read cannot be judged; what the kernel lacks cannot be loaded.",
            remedy: "Compile with -g -O2 -target bpfel, and test for what a kernel may lack with bpf_ksym_exists()."),
        check(
            "parameter", "every parameter exists and fits", why: "A value for no variable would be ignored in silence.",
            remedy: "Parameters are `const volatile` globals of the scheduler; see the policy's description."),
    ]

    private static let tasks: [CheckDescription] = [
        check(
            "lost-task", "every enqueued task is put into a queue or kept where it is found again",
            why: "A task that enqueue drops never runs again; the watchdog ends the scheduler after its timeout.",
            remedy: "On every path insert the task into a DSQ, or keep it and take it out in dispatch; "
                + "where nothing else is left, insert it into SCX_DSQ_GLOBAL or end with scx_bpf_error()."),
        check(
            "double-insert", "a task is inserted once on a path",
            why: "The kernel ends a scheduler that inserts the same task twice in one operation.",
            remedy: "Return after the insert, or decide on the queue first and insert once."),
        check(
            "insert-after-handoff", "a task that was handed on is not inserted as well",
            why: "Whoever finds it where it was kept inserts it a second time, perhaps while it already runs.",
            remedy: "Insert only where keeping the task failed."),
        check(
            "select-cpu-only", "tasks that never pass select_cpu are served too",
            why:
                "select_cpu is not called for tasks bound to one CPU, for those that may not migrate, nor for those that "
                + "go on after their slice.",
            remedy: "Let enqueue insert the task whatever select_cpu has noted."),
        check(
            "maybe-null", "what may be null is tested before it is used",
            why: "The kernel's verifier refuses the program.",
            remedy: "Test the pointer first: prev in dispatch and `to` in yield may be null, and so may every look-up."),
    ]

    private static let queues: [CheckDescription] = [
        check(
            "unknown-dsq", "every queue that is used was created",
            why: "The kernel ends a scheduler that uses a DSQ which does not exist.",
            remedy:
                "Create the queue with scx_bpf_create_dsq() on every successful path through init, with the same id."),
        check(
            "unconsumed-dsq", "every queue that is filled is served",
            why: "Tasks in a queue that no operation moves from never run.",
            remedy: "Let dispatch call scx_bpf_dsq_move_to_local() for the queue, for every id that enqueue may use."),
        check(
            "created-twice", "no queue is created twice", why: "The second creation fails with EEXIST.",
            remedy: "Create each id once; in a loop, make the id depend on the loop."),
        check(
            "mixed-order", "a queue is ordered in one way",
            why: "The kernel ends a scheduler that inserts both at the end and with a key into one DSQ.",
            remedy: "Use scx_bpf_dsq_insert_vtime() for every insert into the queue, or for none."),
        check(
            "vtime-builtin", "keys are used in queues of the scheduler's own only",
            why: "The kernel's own queues have no order by key: the kernel ends the scheduler.",
            remedy: "Insert without a key into SCX_DSQ_LOCAL and SCX_DSQ_GLOBAL, or create a queue."),
        check(
            "dsq-id-range", "ids of queues stay clear of the kernel's own",
            why: "An id with the highest bit set means a queue of the kernel's; a negative number has it set.",
            remedy: "Count ids from 0, and compute them as unsigned numbers."),
        check(
            "init-ignored-error", "init looks whether its queues were created",
            why: "A scheduler that starts without one of its queues is ended at the first insert.",
            remedy: "Return the error of scx_bpf_create_dsq() from init."),
    ]

    private static let service: [CheckDescription] = [
        check(
            "strict-priority", "no queue is served only when another is empty",
            why: "As long as the first queue is refilled, tasks in the other never run.",
            remedy:
                "Serve the other queue first every now and then (a counter, a deadline), or use one queue with keys."),
        check(
            "ageing-broken", "keys grow, so that whoever waits comes first one day",
            why: "With a key that depends on weight or priority alone, tasks with a large key wait for ever.",
            remedy: "Add the time at which the task became runnable, or advance p->scx.dsq_vtime in stopping."),
        check(
            "affinity", "a task is put only on a CPU that it may use",
            why: "The kernel ends a scheduler that puts a task on a CPU outside its cpumask.",
            remedy: "Test with bpf_cpumask_test_cpu(cpu, p->cpus_ptr), or pick the CPU out of p->cpus_ptr."),
        check(
            "cpu-range", "CPU numbers are numbers of CPUs",
            why:
                "scx_bpf_pick_idle_cpu() gives a negative number when no CPU is idle; the kernel ends a scheduler that "
                + "names a CPU which does not exist.",
            remedy: "Go on only if the number is at least 0, and below scx_bpf_nr_cpu_ids() where it is computed."),
        check(
            "slice", "slices are longer than 0, end, and are shorter than the watchdog's timeout",
            why: "A slice without an end keeps the CPU from all others; with 0 the task gives way at once.",
            remedy: "Use SCX_SLICE_DFL or a slice of 1 to 20 ms; with SCX_SLICE_INF preempt by timer, tick or kick."),
        check(
            "unbounded-work", "operations do a bounded amount of work",
            why: "Operations run with a run queue locked: while one works, its CPU does nothing else.",
            remedy: "Bound every loop by a small constant, and do not serve a queue until it is empty."),
    ]

    private static let shape: [CheckDescription] = [
        check(
            "timeout", "the watchdog's timeout is one that the kernel accepts",
            why: "The kernel refuses more than 30 s; a very short one ends the scheduler at the first burst of load.",
            remedy: "Set .timeout_ms to at most 30000, and to some seconds at least."),
        check(
            "ops-flags", "flags have the operations that they need",
            why: "The kernel refuses to enable such a scheduler, or never calls what was meant.",
            remedy: "Add the operation, or leave out the flag."),
        check(
            "kfunc-context", "kernel functions are called where they may be",
            why: "The kernel refuses or ends a scheduler that calls a function from an operation which may not.",
            remedy: "Move the call: queues are created in init, tasks are moved in dispatch, inserted in enqueue."),
        check(
            "growing-map", "maps that tasks fill are emptied when tasks end",
            why: "A table by task that is never cleaned is full one day, and then updates fail.",
            remedy: "Use task storage, or delete the element in exit_task."),
        check(
            "capabilities", "the program does no more than the rules permit",
            why: "A scheduler needs no user memory, no signals, no writes elsewhere.",
            remedy: "Leave it out, or let the rules permit it."),
    ]

    private static let kernel: [CheckDescription] = [
        check(
            "verifier", "the kernel's verifier accepts the programs", why: "The kernel refuses to load the scheduler.",
            remedy: "See the verifier's log: its last lines name the instruction.", .kernel)
    ]

    private static let dynamic: [CheckDescription] = [
        check(
            "attach", "the kernel enables the scheduler", why: "Without that, nothing runs under it.",
            remedy: "See the kernel's log.", .dynamic),
        check(
            "starvation", "every runnable task runs within bounded time",
            why: "A task waited too long while others ran.",
            remedy: "Bound the wait: serve every queue, let keys grow, respect affinity.", .dynamic),
        check(
            "never-ran", "no task is lost",
            why: "A task stayed runnable and was not run again, although nothing else wanted the CPUs.",
            remedy: "Put every task that enqueue is given into a queue, and dispatch from every queue on every CPU.",
            .dynamic),
        check(
            "hung", "every load comes to its end", why: "Work that the kernel or a program waits for was never done.",
            remedy: "Serve the kernel's own threads, and tasks bound to one CPU, like any other.", .dynamic),
        check(
            "idle", "CPUs rest when nothing has to run", why: "The scheduler kept CPUs busy that had nothing to do.",
            remedy: "Do not kick CPUs, and do not start timers, without a task that waits.", .dynamic),
        check(
            "stall", "the watchdog is never near",
            why: "The kernel ends a scheduler under which a task waits too long.",
            remedy: "See starvation.", .dynamic),
        check(
            "ejected", "the scheduler runs on under every load", why: "The kernel, or the scheduler itself, ended it.",
            remedy: "See the reason and the dump.", .dynamic),
        check(
            "work-conservation", "no CPU is idle while tasks wait", why: "Waiting tasks could have run.",
            remedy: "Wake an idle CPU when a task is put into a shared queue.", .dynamic),
        check(
            "fairness", "CPU time follows weight", why: "A heavier task got clearly less than a lighter one.",
            remedy: "Charge CPU time divided by weight.", .dynamic),
        check(
            "rejected", "no task is refused", why: "Tasks that init_task refuses cannot be under the scheduler.",
            remedy: "Let init_task succeed unless memory is short.", .dynamic),
        check(
            "hotplug", "CPUs may come and go", why: "The scheduler ended or lost tasks when a CPU went.",
            remedy: "Implement cpu_online and cpu_offline, and let other CPUs serve the queues of those that are gone.",
            .dynamic),
        check(
            "reattach", "the scheduler can be detached and attached again", why: "Something was left behind.",
            remedy: "Do not keep state across attachments.", .dynamic),
        check(
            "kernel-log", "the kernel's log stays clean", why: "A warning or an error of the kernel's appeared.",
            remedy: "See the lines of the log.", .dynamic),
        check(
            "guest", "the machine answers until the trial ends", why: "It hung or ended by itself.",
            remedy: "See the console's last lines.", .dynamic),
    ]
}
