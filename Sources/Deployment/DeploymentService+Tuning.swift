package import Kernel
import Linux
package import Model

/// What a change comes to, and what is in force.
extension DeploymentService {
    /// The values that a request asks for, each checked, and the change that they take back.
    func wanted(
        _ request: TuneRequest, _ record: DeploymentRecord, _ live: any LiveAccess
    ) async throws(Failure) -> (TuningValues, undoes: Int64) {
        if request.undo {
            let last = try await journal.tunings(of: record.id).first { $0.state == .applied && $0.undoes == 0 }
            guard let last else {
                throw Failure(.notFound, "deployment \(record.id) has no change that could be taken back")
            }
            return (last.before, last.id)
        }
        if request.reset { return (try reset(record, live), 0) }
        var values = TuningValues()
        for setting in request.settings {
            let value = try Self.spec(setting.name, record).parse(setting.value)
            guard live.layout.tunables[value.name]?.type == value.type else {
                throw Failure(
                    .malformedObject, "'\(value.name)' is not in the object as its description says",
                    hint: "the description and the object do not belong together; install them again")
            }
            values.tunables[value.name] = value.number
        }
        values.hints = try await hints(request, record, live)
        if let layers = request.layers {
            guard live.layout.layers != nil else {
                throw Failure(.invalidArgument, "'\(record.spec.scheduler)' has no layers")
            }
            values.layers = try layers.resolved()
        }
        return (values, 0)
    }

    private static func spec(_ name: String, _ record: DeploymentRecord) throws(Failure) -> ParameterSpec {
        if let spec = record.spec.live.tunables.first(where: { $0.name == name }) { return spec }
        let known = record.spec.live.tunables.map(\.name).joined(separator: ", ")
        throw Failure(
            .invalidArgument,
            "'\(record.spec.scheduler)' has no parameter \(name.quotedForDisplay()) that may be changed while it runs",
            hint: known.isEmpty ? "it has none" : "it has: \(known)")
    }

    private func hints(
        _ request: TuneRequest, _ record: DeploymentRecord, _ live: any LiveAccess
    ) async throws(Failure) -> [HintValue] {
        for hint in request.hints + request.forgotten where !live.takesHints(hint.kind) {
            throw Failure(.invalidArgument, "'\(record.spec.scheduler)' takes no hints by \(hint.kind.rawValue)")
        }
        var values: [HintValue] = []
        for hint in request.hints { values.append(try HintValue(resolving: hint)) }
        guard !request.forgotten.isEmpty else { return values }
        let known = Self.named(try live.allHints(), try await paths(record))
        for hint in request.forgotten {
            // Also of a cgroup that is gone, or was there before under the same path.
            let there = known.filter { $0.kind == hint.kind.rawValue && $0.key == hint.key }
            guard !there.isEmpty else {
                throw Failure(.notFound, "there is no hint for \(hint.kind.rawValue) \(hint.key.quotedForDisplay())")
            }
            for var value in there {
                value.nanoseconds = nil
                values.append(value)
            }
        }
        return values
    }

    /// What has to be written so that everything is as it was deployed.
    private func reset(_ record: DeploymentRecord, _ live: any LiveAccess) throws(Failure) -> TuningValues {
        let deployed = deployed(record, live)
        var values = TuningValues()
        let now = try live.tunables()
        values.tunables = deployed.tunables.filter { now[$0.key] != $0.value }
        let hints = try live.allHints()
        values.hints = deployed.hints.filter { hint in
            hints.first { $0.isPlace(of: hint) }?.nanoseconds != hint.nanoseconds
        }
        for var hint in hints where !deployed.hints.contains(where: { $0.isPlace(of: hint) }) {
            hint.nanoseconds = nil
            values.hints.append(hint)
        }
        if let layers = deployed.layers, try live.layers() != layers { values.layers = layers }
        return values
    }

    /// What it was deployed with: what was asked for then, and what it was compiled with.
    func deployed(_ record: DeploymentRecord, _ live: any LiveAccess) -> TuningValues {
        var values = TuningValues()
        for spec in record.spec.live.tunables {
            let asked = record.spec.parameters.last { $0.name == spec.name }
            let number = asked.flatMap { try? spec.parse($0.value).number }
            values.tunables[spec.name] = number ?? live.layout.compiled[spec.name] ?? spec.defaultValue
        }
        // Of a cgroup that is gone nothing is left to set.
        values.hints = record.spec.hints.compactMap { try? HintValue(resolving: $0) }
        values.layers = live.layout.layers
        return values
    }

    // MARK: What is in force

    func view(_ record: DeploymentRecord, _ live: any LiveAccess) async throws(Failure) -> TuningView {
        let now = try live.tunables()
        let deployed = deployed(record, live)
        let paths = try await paths(record)
        return TuningView(
            deployment: record.id, scheduler: record.spec.scheduler,
            tunables: record.spec.live.tunables.compactMap { spec in
                guard let value = now[spec.name], let before = deployed.tunables[spec.name] else { return nil }
                func number(_ number: Int128) -> ParameterValue {
                    ParameterValue(name: spec.name, type: spec.type, number: number)
                }
                return TuningView.Value(spec: spec, value: number(value), deployed: number(before))
            },
            hints: Self.named(try live.allHints(), paths), layers: try live.layers()?.named(paths),
            changes: try await journal.tunings(of: record.id).filter { $0.state == .applied && $0.undoes == 0 })
    }

    private static func named(_ hints: [HintValue], _ paths: [UInt64: String]) -> [HintValue] {
        hints.map { hint in
            guard hint.cgroupID != 0 else { return hint }
            var hint = hint
            hint.key = paths[hint.cgroupID] ?? "#\(hint.cgroupID)"
            return hint
        }.sorted { ($0.kind, $0.key) < ($1.kind, $1.key) }
    }

    /// The kernel knows cgroups by number: what they are called is in what was asked for.
    func paths(_ record: DeploymentRecord) async throws(Failure) -> [UInt64: String] {
        var paths: [UInt64: String] = [:]
        for hint in record.spec.hints where hint.kind == .cgroup {
            if let id = try? Cgroup.id(path: hint.key) { paths[id] = hint.key }
        }
        paths.merge(try await journal.tuned(record.id).paths) { $1 }
        for change in try await journal.tunings(of: record.id) {
            paths.merge(change.after.paths) { old, _ in old }
        }
        return paths
    }

    // MARK: For the view of what runs

    /// What is there to be looked at now; nil where nothing of ours runs.
    package func live() async -> LiveScheduler? {
        guard let record, let access = current?.parts.live else { return nil }
        return LiveScheduler(record: record, access: access, paths: (try? await paths(record)) ?? [:])
    }
}

/// A scheduler of ours that runs, and what can be read of it.
package struct LiveScheduler: Sendable {
    package let record: DeploymentRecord
    package let access: any LiveAccess
    /// Of cgroups, by number.
    package let paths: [UInt64: String]

    package init(record: DeploymentRecord, access: any LiveAccess, paths: [UInt64: String]) {
        self.record = record
        self.access = access
        self.paths = paths
    }
}
