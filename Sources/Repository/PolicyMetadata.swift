import Model
import TOMLKit

/// The description of a scheduler beside its object, or of a primitive beside its header: the TOML format of
/// docs/schedulers.md.
struct PolicyMetadata {
    private let table: TOMLTable
    let kind: EntryKind
    /// A plain file name in the same folder: the object, or the header of a primitive.
    let file: String
    /// A plain file name, of the source; empty where it is not told.
    let sourceFile: String

    init(toml: String, kind: EntryKind = .scheduler) throws(Failure) {
        do { table = try TOMLTable(string: toml) } catch {
            throw Failure(.invalidArgument, "it is not valid TOML: \(error)")
        }
        self.kind = kind
        try Self.refuseUnknown(table, MetadataKeys.top(kind), in: "")
        let key = kind == .scheduler ? "object_file" : "source_file"
        file = try Self.string(table, key)
        sourceFile = table["source_file"] == nil ? "" : try Self.string(table, "source_file")
        for (name, file) in [(key, file)] + (sourceFile.isEmpty ? [] : [("source_file", sourceFile)]) {
            guard !file.isEmpty, !file.contains("/"), !file.hasPrefix(".") else {
                throw Failure(.invalidArgument, "'\(name)' must be the name of a file in the same folder")
            }
        }
    }

    func policy(artifact: String) throws(Failure) -> SchedulerPolicy {
        var hints: [HintSpec] = []
        for entry in try tables("hints") { hints.append(try hint(entry)) }
        var targets: [Target] = []
        for entry in try tables("targets") {
            targets.append(
                Target(workloadClass: try Self.string(entry, "class"), metric: try Self.string(entry, "metric")))
        }
        var uses: [SchedulerName] = []
        for name in try strings("uses") { uses.append(try SchedulerName(name)) }
        return SchedulerPolicy(
            name: try SchedulerName(try Self.string(table, "name")), version: try Self.string(table, "version"),
            summary: try Self.string(table, "summary"), description: try Self.string(table, "description"),
            algorithm: try Self.string(table, "algorithm"), license: try Self.string(table, "license"),
            parameters: try parameters(), hints: hints, targetWorkloads: try strings("target_workloads"),
            notFor: try strings("not_for"), kernelMinimum: try Self.string(table, "kernel_minimum"),
            promises: try promises(), artifact: artifact, counters: try counters(), queues: try queues(),
            features: try strings("features"), uses: uses, targets: targets, sourceFile: sourceFile)
    }

    private func promises() throws(Failure) -> [String: String] {
        var promises: [String: String] = [:]
        if let value = table["promises"], value.table == nil {
            throw Failure(.invalidArgument, "'promises' must be a table")
        }
        for (name, value) in table["promises"]?.table ?? TOMLTable() {
            promises[name] = value.string ?? value.bool.map { "\($0)" } ?? value.int.map { "\($0)" } ?? ""
        }
        return promises
    }

    /// Those that are fixed before load, then those that may change while it runs.
    private func parameters() throws(Failure) -> [ParameterSpec] {
        var parameters: [ParameterSpec] = []
        for (key, isLive) in [("parameters", false), ("tunables", true)] {
            for entry in try tables(key) {
                let new = try parameter(entry, isLive: isLive)
                guard !parameters.contains(where: { $0.name == new.name }) else {
                    throw Failure(.invalidArgument, "parameter '\(new.name)' is described twice")
                }
                parameters.append(new)
            }
        }
        return parameters
    }

    private func counters() throws(Failure) -> [CounterSpec] {
        var counters: [CounterSpec] = []
        for (position, entry) in try tables("counters").enumerated() {
            let index = try Self.number(entry, "index").map { Int(clamping: $0) }
            let new = try CounterSpec(
                name: try Self.string(entry, "name"), index: index ?? CounterSpec.indices.lowerBound + position,
                unit: entry["unit"] == nil ? "events" : try Self.string(entry, "unit"),
                description: try Self.string(entry, "description"))
            guard !counters.contains(where: { $0.name == new.name || $0.index == new.index }) else {
                throw Failure(.invalidArgument, "counter '\(new.name)', or its index \(new.index), is described twice")
            }
            counters.append(new)
        }
        return counters
    }

    private func queues() throws(Failure) -> [QueueSpec] {
        var queues: [QueueSpec] = []
        for entry in try tables("queues") {
            let name = try Self.string(entry, "name")
            guard let number = try Self.number(entry, "id"), let id = UInt64(exactly: number) else {
                throw Failure(.invalidArgument, "queue '\(name)' has no id, a whole number from 0 on")
            }
            let count: QueueSpec.Count
            if let word = entry["count"]?.string {
                guard let read = QueueSpec.Count(text: word) else {
                    throw Failure(.invalidArgument, "queue '\(name)' is there '\(word)' times: a number, llc or cpu")
                }
                count = read
            } else {
                count = .some(Int(clamping: try Self.number(entry, "count") ?? 1))
            }
            queues.append(
                try QueueSpec(name: name, id: id, count: count, description: try Self.string(entry, "description")))
        }
        guard queues.count <= QueueSpec.most, Set(queues.map(\.name)).count == queues.count else {
            throw Failure(.invalidArgument, "a queue is described twice, or there are more than \(QueueSpec.most)")
        }
        return queues
    }

    private func parameter(_ entry: TOMLTable, isLive: Bool) throws(Failure) -> ParameterSpec {
        let name = try Self.string(entry, "name")
        let typeName = try Self.string(entry, "type")
        guard let type = ParameterType(rawValue: typeName) else {
            let known = ParameterType.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.invalidArgument, "parameter '\(name)' has the unknown type '\(typeName)' (known: \(known))")
        }
        let low = try Self.number(entry, "min") ?? type.representable.lowerBound
        let high = try Self.number(entry, "max") ?? type.representable.upperBound
        guard low <= high else { throw Failure(.invalidArgument, "parameter '\(name)' has min above max") }
        guard let defaultValue = try Self.number(entry, "default") else {
            throw Failure(.invalidArgument, "parameter '\(name)' has no default")
        }
        return try ParameterSpec(
            name: name, type: type, defaultValue: defaultValue, range: low...high,
            unit: entry["unit"]?.string ?? "", description: entry["description"]?.string ?? "", isLive: isLive)
    }

    private func hint(_ entry: TOMLTable) throws(Failure) -> HintSpec {
        let kindName = try Self.string(entry, "kind")
        guard let kind = Hint.Kind(rawValue: kindName) else {
            throw Failure(.invalidArgument, "there are no hints by '\(kindName)'")
        }
        return HintSpec(kind: kind, map: try Self.string(entry, "map"), description: entry["description"]?.string ?? "")
    }

    private func tables(_ key: String) throws(Failure) -> [TOMLTable] {
        guard let value = table[key] else { return [] }
        guard let array = value.array else { throw Failure(.invalidArgument, "'\(key)' must be an array of tables") }
        var result: [TOMLTable] = []
        for element in array {
            guard let entry = element.table else {
                throw Failure(.invalidArgument, "'\(key)' must be an array of tables")
            }
            try Self.refuseUnknown(entry, MetadataKeys.nested[key] ?? [], in: " in '\(key)'")
            result.append(entry)
        }
        return result
    }

    private func strings(_ key: String) throws(Failure) -> [String] {
        guard let value = table[key] else { return [] }
        guard let array = value.array else { throw Failure(.invalidArgument, "'\(key)' must be an array of strings") }
        var result: [String] = []
        for element in array {
            guard let text = element.string else {
                throw Failure(.invalidArgument, "'\(key)' must be an array of strings")
            }
            result.append(text)
        }
        return result
    }

    private static func refuseUnknown(_ table: TOMLTable, _ known: [String], in place: String) throws(Failure) {
        for key in table.keys where !known.contains(key) {
            throw Failure(
                .invalidArgument, "the key \(key.quotedForDisplay())\(place) is unknown",
                hint: "known are: " + known.joined(separator: ", "))
        }
    }

    private static func string(_ table: TOMLTable, _ key: String) throws(Failure) -> String {
        guard let text = table[key]?.string else { throw Failure(.invalidArgument, "the string '\(key)' is missing") }
        guard text.utf8.count <= 8192 else { throw Failure(.invalidArgument, "'\(key)' is longer than 8192 bytes") }
        return text
    }

    /// A whole number or a boolean; nil where the key is missing.
    private static func number(_ table: TOMLTable, _ key: String) throws(Failure) -> Int128? {
        guard let value = table[key] else { return nil }
        if let number = value.int { return Int128(number) }
        if let flag = value.bool { return flag ? 1 : 0 }
        throw Failure(.invalidArgument, "'\(key)' must be a whole number")
    }
}

/// The keys of the format; any other one is a mistake.
private enum MetadataKeys {
    static func top(_ kind: EntryKind) -> [String] {
        let common = [
            "name", "version", "summary", "description", "algorithm", "license", "source_file", "kernel_minimum",
            "features", "uses", "target_workloads", "not_for", "parameters", "tunables", "hints", "targets", "promises",
        ]
        return kind == .scheduler ? common + ["object_file", "counters", "queues"] : common
    }

    static let parameter = ["name", "type", "default", "min", "max", "unit", "description"]
    static let nested = [
        "parameters": parameter, "tunables": parameter,
        "counters": ["name", "index", "unit", "description"],
        "queues": ["name", "id", "count", "description"],
        "hints": ["kind", "map", "key", "value", "max_entries", "description"],
        "targets": ["class", "metric"],
    ]
}
