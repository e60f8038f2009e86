/// One way to work a scheduler hard. A load runs in the conductor's process; the judge knows only its expectations.
package protocol Load: Sendable {
    /// As reports call it, such as `fork-storm`.
    static var name: String { get }
    /// The tasks that it runs by default on so many CPUs, and the fewest that still make it this load.
    static func tasks(cpus: Int) -> Int
    static var fewestTasks: Int { get }
    /// The tasks of the quick effort, where they are fewer.
    static func quickTasks(cpus: Int) -> Int
    /// Why this machine cannot run it; nil where it can.
    static func obstacle(_ machine: Machine) -> String?

    init(tasks: Int)
    var tasks: Int { get }

    /// How long it lasts unless tasks have to be waited for, milliseconds.
    var milliseconds: Int { get }
    var expectations: Expectations { get }
    /// Microseconds between two rounds of `disturb`.
    var interval: Int { get }
    /// `disturb` is part of the work itself, and not left out when it is to be seen how waits end.
    var isNeededToTheEnd: Bool { get }
    func start(_ stage: Stage)
    func disturb(_ stage: Stage)
    /// Ends what was done to the machine; the workers are still there.
    func stop(_ stage: Stage)
    /// Takes away what only goes when the workers are gone.
    func cleanUp(_ stage: Stage)
}

extension Load {
    package static var fewestTasks: Int { 1 }
    package static func quickTasks(cpus: Int) -> Int { tasks(cpus: cpus) }
    package static func obstacle(_ machine: Machine) -> String? { nil }
    package var milliseconds: Int { 600 }
    package var expectations: Expectations { Expectations() }
    package var interval: Int { 10_000 }
    package var isNeededToTheEnd: Bool { expectations.endsItself != nil || expectations.lastsAtMost != nil }
    package func disturb(_ stage: Stage) {}
    package func stop(_ stage: Stage) {}
    package func cleanUp(_ stage: Stage) {}
}

/// What any sound scheduler does with a load.
package struct Expectations: Hashable, Sendable {
    /// Groups that a sound scheduler may leave waiting as long as the load lasts, such as nice 19 beside many of -20: they
    /// must run once the others are gone.
    package var patientGroups: Set<Int> = []
    /// CPUs are idle only when nothing waits.
    package var keepsBusy = true
    /// How long tasks may wait beside idle CPUs, all together, as a share of the load's time; nil for what noise does to
    /// so many tasks.
    package var idleShareBound: Double?
    /// Most of the time nothing is runnable, so the CPUs are idle.
    package var isIdle = false
    /// The kernel may end a scheduler here and ask for a restart: CPUs come and go.
    package var mayRestart = false
    /// The load says itself when it is done, and has to within this many milliseconds.
    package var endsItself: Int?
    /// The load lasts until it says that it is done, but no longer than this many milliseconds.
    package var lastsAtMost: Int?
    /// Groups of equally many busy tasks and the share of the CPU time that their weights give them.
    package var shares: [Int: Double] = [:]
    /// Groups of equally many busy tasks, the heaviest first: a lighter group does not get several times the CPU time of
    /// a heavier one, whatever is promised.
    package var order: [Int] = []
    /// Groups of which every worker makes some progress.
    package var progress: Set<Int> = []

    package init() {}
}
