import Model

/// Every load, and which of them an effort runs, in their order: what may end a scheduler for good reasons comes last.
package enum LoadCatalogue {
    static let all: [any Load.Type] = [
        NiceLevels.self, CPUHogs.self, Crowded.self, Sleepers.self, PipePairs.self, Pinned.self, Changes.self,
        ForkStorm.self, SpareCPUs.self, ShortTasks.self, EveryNiceLevel.self, FutexPairs.self, ExecStorm.self,
        YieldStorm.self, PolicySwitches.self, Killed.self, Stopped.self, RealTimeHog.self, Cgroups.self, Idle.self,
        FairShares.self, Batch.self, Hotplug.self,
    ]

    private static let quick: Set<String> = [
        NiceLevels.name, Sleepers.name, PipePairs.name, ForkStorm.name, SpareCPUs.name, ShortTasks.name, Pinned.name,
        Changes.name, Cgroups.name,
        Idle.name, Hotplug.name,
    ]

    package static var names: [String] { all.map { $0.name } }

    /// After these the kernel takes the candidate's programs for those of another machine, and refuses them until they
    /// are loaded again: the sequence number of the CPUs' comings and goings is part of what was loaded.
    static let last: Set<String> = [Hotplug.name]

    static func loads(for options: TortureOptions, machine: Machine) -> [any Load.Type] {
        all.filter { load in
            if load.obstacle(machine) != nil { return false }
            if !options.loads.isEmpty { return options.loads.contains(load.name) }
            if load == FairShares.self { return options.isFairByWeight }
            return options.effort == .full || quick.contains(load.name)
        }
    }
}
