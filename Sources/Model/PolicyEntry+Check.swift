/// The bounds of what the repository takes: everything in it may come from outside.
package enum RepositoryLimits {
    package static let lineBytes = 256
    package static let textBytes = 8192
    package static let sourceBytes = 256 * 1024
    /// Items in any list of an entry.
    package static let items = 256
    package static let outcomesPerEntry = 4096
    package static let attestationsPerEntry = 64
    package static let incidentsPerEntry = 256
    package static let versionsPerName = 1024
    package static let entries = 1_000_000
    package static let antipatterns = 100_000
    package static let features = 64
    package static let envelopeBytes = 256 * 1024

    static func line(_ text: String, _ what: String, mayBeEmpty: Bool = false) throws(Failure) {
        guard !text.utf8.contains(where: { $0 < 32 || $0 == 127 }) else {
            throw Failure(.invalidArgument, "\(what) has a line end or a control character in it")
        }
        try Self.text(text, what, limit: lineBytes, mayBeEmpty: mayBeEmpty)
    }

    static func text(
        _ text: String, _ what: String, limit: Int = textBytes, mayBeEmpty: Bool = false
    ) throws(Failure) {
        guard text.utf8.count <= limit else {
            throw Failure(.invalidArgument, "\(what) has \(text.utf8.count) bytes, more than \(limit)")
        }
        guard mayBeEmpty || !text.isEmpty else { throw Failure(.invalidArgument, "\(what) is empty") }
        guard !text.utf8.contains(0) else { throw Failure(.invalidArgument, "\(what) has a zero byte in it") }
    }

    static func count(_ count: Int, _ what: String, limit: Int = items) throws(Failure) {
        guard count <= limit else { throw Failure(.tooMany, "\(count) \(what), more than \(limit)") }
    }

    static func digest(_ text: String, _ what: String) throws(Failure) {
        let isHex = text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        guard text.utf8.count == 64, isHex else {
            throw Failure(.invalidArgument, "\(what) \(text.quotedForDisplay()) is not a SHA-256")
        }
    }

    /// A word such as `topology.llc`: a lower-case letter, then letters, digits, `.`, `_`, `-`.
    static func word(_ text: String, _ what: String) throws(Failure) {
        let bytes = text.utf8
        let isPlain = bytes.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
        guard let first = bytes.first, (97...122).contains(first), isPlain, bytes.count <= 64 else {
            throw Failure(
                .invalidArgument, "\(what) \(text.quotedForDisplay()) is not a word",
                hint: "a lower-case letter, then up to 63 of a-z 0-9 . _ -")
        }
    }

    static func unique(_ names: [String], _ what: String) throws(Failure) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw Failure(.invalidArgument, "\(what) \(name.quotedForDisplay()) is there twice")
        }
    }
}

extension PolicyEntry {
    /// Refuses what is overlong, doubled or not what it should be.
    package func check() throws(Failure) {
        typealias Limits = RepositoryLimits
        try Limits.line(summary, "the summary")
        try Limits.text(description, "the description")
        try Limits.text(algorithm, "the algorithm")
        try Limits.line(license, "the licence")
        try Limits.count(targetWorkloads.count + notFor.count, "workloads")
        for text in targetWorkloads + notFor { try Limits.text(text, "a workload") }
        try checkLists()
        guard KernelRelease(kernelMinimum) != nil else {
            throw Failure(
                .invalidArgument, "the kernel minimum \(kernelMinimum.quotedForDisplay()) is not a release",
                hint: "as 6.12")
        }
        try Limits.digest(artifact, "the artifact")
        if let source {
            try Limits.line(source.file, "the name of the source file")
            guard !source.file.contains("/") else {
                throw Failure(.invalidArgument, "the name of the source file is a path")
            }
            try Limits.text(source.text, "the source", limit: Limits.sourceBytes)
        }
        try Limits.line(provenance.maker, "the maker")
        try Limits.text(provenance.change, "the change", mayBeEmpty: true)
        guard provenance.parent != key else {
            throw Failure(.invalidArgument, "\(key) cannot be derived from itself")
        }
    }

    private func checkLists() throws(Failure) {
        typealias Limits = RepositoryLimits
        let sizes = [
            targets.count, parameters.count, counters.count, queues.count, hints.count, features.count, uses.count,
            promises.count,
        ]
        for size in sizes { try Limits.count(size, "items in a list") }
        for target in targets {
            try Limits.word(target.workloadClass, "the class")
            try Limits.word(target.metric, "the metric")
        }
        for feature in features { try Limits.word(feature, "the feature") }
        for parameter in parameters {
            try Limits.line(parameter.name, "a parameter's name")
            try Limits.line(parameter.unit, "a parameter's unit", mayBeEmpty: true)
            try Limits.text(parameter.description, "a parameter's description", mayBeEmpty: true)
        }
        for counter in counters {
            try Limits.line(counter.name, "a counter's name")
            try Limits.line(counter.unit, "a counter's unit", mayBeEmpty: true)
            try Limits.text(counter.description, "a counter's description", mayBeEmpty: true)
        }
        for queue in queues {
            try Limits.text(queue.description, "a queue's description", mayBeEmpty: true)
        }
        for hint in hints {
            try Limits.line(hint.map, "a hint's map")
            try Limits.text(hint.description, "a hint's description", mayBeEmpty: true)
        }
        for (name, promise) in promises {
            try Limits.line(name, "a promise's name")
            try Limits.text(promise, "a promise", mayBeEmpty: true)
        }
        try Limits.unique(targets.map { "\($0.workloadClass) \($0.metric)" }, "the target")
        try Limits.unique(parameters.map(\.name), "the parameter")
        try Limits.unique(counters.map(\.name), "the counter")
        try Limits.unique(counters.map { "\($0.index)" }, "the counter's index")
        try Limits.unique(queues.map(\.name), "the queue")
        try Limits.unique(features, "the feature")
        try Limits.unique(uses.map(\.text), "the primitive")
    }
}
