package import Model
package import SwiftProtobuf

/// Entries of the repository as messages, and the filters that ask for them. What comes from a client is bounded and refused with
/// a reason; what goes out is cut to what one answer holds.

/// What one answer may hold. Lists are cut where it is used up.
package struct AnswerBudget {
    private var left: Int

    package init(_ bytes: Int = Frame.answerLimit / 2) { left = bytes }

    /// False when there is no place for the message any more.
    package mutating func take(_ message: some Message) -> Bool {
        // With what the list around it takes.
        let size = Frame.size(of: message) + 8
        guard size <= left else { return false }
        left -= size
        return true
    }

    /// As many of the messages, from the first on, as there is place for.
    package mutating func prefix<M: Message>(_ messages: some Sequence<M>) -> [M] {
        var taken: [M] = []
        for message in messages {
            guard take(message) else { break }
            taken.append(message)
        }
        return taken
    }
}

extension WireEntryFilter {
    package func asFilter() throws(Failure) -> EntryFilter {
        guard kinds.count <= 16, statuses.count <= 16, kernel.utf8.count <= 128 else {
            throw Failure(.invalidArgument, "the filter is longer than any that makes sense")
        }
        var filter = EntryFilter(
            features: Set(features), lacksFeatures: Set(withoutFeatures), kernel: kernel.isEmpty ? nil : kernel,
            newestOnly: !allVersions)
        for text in kinds { filter.kinds.insert(try Self.word(text, "kind of entries", EntryKind.allCases)) }
        for text in statuses { filter.statuses.insert(try Self.word(text, "status", EntryStatus.allCases)) }
        try filter.check()
        return filter
    }

    private static func word<Word: RawRepresentable<String>>(
        _ text: String, _ what: String, _ words: [Word]
    ) throws(Failure) -> Word {
        guard let word = Word(rawValue: text) else {
            throw Failure(
                .invalidArgument, "there is no \(what) \(text.quotedForDisplay())",
                hint: "there are: " + words.map(\.rawValue).joined(separator: ", "))
        }
        return word
    }
}

extension WireEntrySummary {
    package init(_ record: EntryRecord) {
        self.init()
        id = UInt64(clamping: record.id)
        name = record.entry.key.name.text
        version = record.entry.key.version.description
        kind = record.entry.kind.rawValue
        status = record.status.rawValue
        summary = record.entry.summary
        origin = record.entry.provenance.origin.rawValue
        addedAt = record.addedAt
        artifactSha256 = record.entry.artifact
    }
}

extension WireSearchHit {
    /// What the entry is and what was measured of it; why it fits is added by the caller.
    package init(_ record: EntryRecord, score: Double, measured: some Sequence<Outcome>) {
        self.init()
        name = record.entry.key.name.text
        version = record.entry.key.version.description
        self.score = score
        kind = record.entry.kind.rawValue
        status = record.status.rawValue
        summary = record.entry.summary
        self.measured = measured.map(WireOutcome.init)
    }
}

extension WireEntryReply {
    /// What the entry is; its source and its evidence are added by the caller.
    package init(_ record: EntryRecord) {
        let entry = record.entry
        self.init()
        self.entry = WireEntrySummary(record)
        description_p = entry.description
        algorithm = entry.algorithm
        license = entry.license
        targetWorkloads = entry.targetWorkloads
        notFor = entry.notFor
        targets = entry.targets.map { target in
            var wire = WireTarget()
            (wire.workloadClass, wire.metric) = (target.workloadClass, target.metric)
            return wire
        }
        parameters = entry.parameters.map(WireParameterSpec.init)
        counters = entry.counters.map(WireCounterSpec.init)
        queues = entry.queues.map(WireQueueSpec.init)
        hints = entry.hints.map(WireHintSpec.init)
        features = entry.features
        uses = entry.uses.map(\.text)
        kernelMin = entry.kernelMinimum
        promises = WirePromise.list(entry.promises)
        maker = entry.provenance.maker
        parent = entry.provenance.parent?.description ?? ""
        change = entry.provenance.change
    }
}

extension WireParameterSpec {
    package init(_ spec: ParameterSpec) {
        self.init()
        name = spec.name
        type = spec.type.rawValue
        defaultValue = ParameterValue(name: spec.name, type: spec.type, number: spec.defaultValue).text
        min = "\(spec.range.lowerBound)"
        max = "\(spec.range.upperBound)"
        unit = spec.unit
        description_p = spec.description
    }
}

extension WireHintSpec {
    package init(_ spec: HintSpec) {
        self.init()
        kind = spec.kind.rawValue
        description_p = spec.description
    }
}

extension WireCounterSpec {
    package init(_ spec: CounterSpec) {
        self.init()
        name = spec.name
        index = UInt32(clamping: spec.index)
        unit = spec.unit
        description_p = spec.description
    }
}

extension WireQueueSpec {
    package init(_ spec: QueueSpec) {
        self.init()
        name = spec.name
        id = spec.id
        count = spec.count.text
        description_p = spec.description
    }
}

extension WirePromise {
    package static func list(_ promises: [String: String]) -> [WirePromise] {
        promises.sorted { $0.key < $1.key }.map { name, value in
            var wire = WirePromise()
            (wire.name, wire.value) = (name, value)
            return wire
        }
    }
}
