extension WorkloadProfile {
    package func check() throws(Failure) {
        try RepositoryLimits.word(workloadClass, "the class")
        try RepositoryLimits.text(goal, "the goal", limit: 1024, mayBeEmpty: true)
        try RepositoryLimits.count(features.count, "features", limit: RepositoryLimits.features)
        for (name, value) in features {
            try RepositoryLimits.word(name, "the feature")
            guard value.isFinite, value >= 0 else {
                throw Failure(.invalidArgument, "the feature '\(name)' is \(value), and features are not negative")
            }
        }
    }
}

extension MachineShape {
    package func check() throws(Failure) {
        try RepositoryLimits.word(architecture, "the architecture")
        let isPossible =
            (1...65536).contains(cpus) && (1...64).contains(threadsPerCore) && (1...cpus).contains(llcs)
            && (1...cpus).contains(nodes)
        guard isPossible else {
            throw Failure(
                .invalidArgument,
                "no machine has \(cpus) CPUs, \(threadsPerCore) threads a core, \(llcs) LLCs and \(nodes) nodes")
        }
    }
}

extension Effect {
    /// The most that a ratio can be, and the inverse of the least.
    static let bound = 1e6

    package func check() throws(Failure) {
        try RepositoryLimits.word(metric, "the metric")
        if baseline != "default" { _ = try EntryKey(baseline) }
        for value in [ratio, low, high] {
            guard value.isFinite, value >= 1 / Self.bound, value <= Self.bound else {
                throw Failure(
                    .invalidArgument, "the effect \(ratio) (\(low) to \(high)) is not a ratio with its interval",
                    hint: "give the metric under the scheduler divided by the baseline's")
            }
        }
        guard low <= ratio, ratio <= high else {
            throw Failure(.invalidArgument, "the interval \(low) to \(high) does not contain the effect \(ratio)")
        }
        guard (2...1_000_000).contains(runs) else {
            throw Failure(
                .invalidArgument, "an interval does not come from \(runs) runs", hint: "measure at least twice")
        }
    }
}

extension Outcome {
    package func check() throws(Failure) {
        try Self.identifier(id, "the outcome's id")
        try Self.identifier(trial, "the trial")
        try RepositoryLimits.digest(artifact, "the artifact")
        try RepositoryLimits.count(settings.count, "settings")
        for setting in settings {
            try RepositoryLimits.line(setting.name, "a parameter's name")
            try RepositoryLimits.line(setting.value, "a parameter's value")
        }
        try RepositoryLimits.unique(settings.map(\.name), "the parameter")
        try workload.check()
        try machine.check()
        guard KernelRelease(kernel) != nil else {
            throw Failure(.invalidArgument, "the kernel \(kernel.quotedForDisplay()) is not a release")
        }
        try effect.check()
        try RepositoryLimits.line(measuredBy, "who measured")
        guard measuredAt > 0 else { throw Failure(.invalidArgument, "the time of the measurement is missing") }
    }

    private static func identifier(_ text: String, _ what: String) throws(Failure) {
        let isPlain = text.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
        guard (1...64).contains(text.utf8.count), isPlain else {
            throw Failure(
                .invalidArgument, "\(what) \(text.quotedForDisplay()) is not an identifier",
                hint: "up to 64 of a-z 0-9 . _ -")
        }
    }
}
