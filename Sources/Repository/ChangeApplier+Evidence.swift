import FoundationEssentials
import GRDB
import Model

extension ChangeApplier {
    func add(_ outcome: Outcome) throws -> ChangeReceipt {
        let (id, entry) = try known(outcome.entry, artifact: outcome.artifact)
        for setting in outcome.settings {
            guard let parameter = entry.parameters.first(where: { $0.name == setting.name }) else {
                throw Failure(
                    .invalidArgument, "\(outcome.entry) has no parameter \(setting.name.quotedForDisplay())")
            }
            _ = try parameter.parse(setting.value)
        }
        let content = try SortedJSON.text(StoredOutcome(outcome))
        let same = try Row.fetchOne(
            database, sql: "SELECT content FROM outcome WHERE name = ?", arguments: [outcome.id])
        if let same {
            guard try same.text("content") == content else {
                throw Failure(.invalidArgument, "another outcome has the id \(outcome.id.quotedForDisplay()) already")
            }
            return try receipt(id, isNew: false)
        }
        try bound("outcome", of: id, RepositoryLimits.outcomesPerEntry, outcome.entry, "outcomes")
        let profile = try profileID(of: outcome.workload)
        let bearing = Self.bearing(of: outcome, on: entry)
        let saysMore = try self.saysMore(bearing, in: outcome.trial, of: id)
        try insert(
            "outcome",
            [
                "name": outcome.id, "entry": id, "profile": profile, "bearing": bearing?.rawValue,
                "trial": outcome.trial, "content": content,
            ])
        return saysMore ? try judged(id, entry) : try receipt(id, isNew: true)
    }

    /// Can it change the status? Most outcomes are no evidence, or say what their trial has said already.
    private func saysMore(_ bearing: Effect.Direction?, in trial: String, of id: Int64) throws -> Bool {
        guard let bearing, bearing != .unclear else { return false }
        return try !exists(
            "SELECT 1 FROM outcome WHERE entry = ? AND bearing = ? AND trial = ?", [id, bearing.rawValue, trial])
    }

    /// What an outcome says of an entry's status; nil where it is no evidence.
    static func bearing(of outcome: Outcome, on entry: PolicyEntry) -> Effect.Direction? {
        let target = Target(workloadClass: outcome.workload.workloadClass, metric: outcome.effect.metric)
        guard outcome.origin.isEvidence, entry.targets.contains(target) else { return nil }
        return outcome.effect.direction
    }

    func add(_ attestation: EntryAttestation) throws -> ChangeReceipt {
        let (id, entry) = try known(attestation.entry, artifact: attestation.artifact)
        guard ArtifactStore.digest(attestation.envelope) == attestation.digest else {
            throw Failure(.invalidArgument, "the envelope is not the one that its digest names")
        }
        let sql = "SELECT 1 FROM attestation WHERE entry = ? AND digest = ?"
        if try exists(sql, [id, attestation.digest]) { return try receipt(id, isNew: false) }
        try bound("attestation", of: id, RepositoryLimits.attestationsPerEntry, attestation.entry, "attestations")
        try insert(
            "attestation",
            [
                "entry": id, "digest": attestation.digest,
                "content": try SortedJSON.text(StoredAttestation(attestation)),
            ])
        if try !exists("SELECT 1 FROM envelope WHERE digest = ?", [attestation.digest]) {
            try insert("envelope", ["digest": attestation.digest, "bytes": Data(attestation.envelope)])
        }
        return try judged(id, entry)
    }

    func add(_ incident: Incident) throws -> ChangeReceipt {
        guard let id = try entryID(incident.entry) else { throw Self.unknown(incident.entry) }
        let entry = try EntryRows.entry(id, database).entry
        let sql = "SELECT 1 FROM incident WHERE entry = ? AND kind = ? AND subject = ?"
        if try exists(sql, [id, incident.kind.rawValue, incident.subject]) { return try receipt(id, isNew: false) }
        try bound("incident", of: id, RepositoryLimits.incidentsPerEntry, incident.entry, "incidents")
        try insert(
            "incident",
            [
                "entry": id, "kind": incident.kind.rawValue, "subject": incident.subject, "reason": incident.reason,
                "at": incident.at,
            ])
        return try judged(id, entry)
    }

    /// The same attempt again is counted, and its last reason is kept.
    func add(_ antipattern: Antipattern) throws -> ChangeReceipt {
        let content = try SortedJSON.text(StoredAntipattern(antipattern))
        let same = try Row.fetchOne(
            database, sql: "SELECT id FROM antipattern WHERE fingerprint = ? AND stage = ? AND class = ?",
            arguments: [antipattern.fingerprint, antipattern.stage, antipattern.workloadClass])
        if let id = try same?.number("id") {
            try database.execute(
                sql: "UPDATE antipattern SET times = times + 1, content = ? WHERE id = ?", arguments: [content, id])
            try seal("antipattern", "id", id)
            return ChangeReceipt(entry: 0, isNew: false, status: .candidate, sequence: sequence)
        }
        guard try last("antipattern") < RepositoryLimits.antipatterns else {
            throw Failure(.tooMany, "\(RepositoryLimits.antipatterns) antipatterns are kept, and no more")
        }
        try insert(
            "antipattern",
            [
                "fingerprint": antipattern.fingerprint, "stage": antipattern.stage,
                "class": antipattern.workloadClass, "base": antipattern.base, "content": content, "times": 1,
            ])
        return ChangeReceipt(entry: 0, isNew: true, status: .candidate, sequence: sequence)
    }

    // MARK: Judgement

    private func judged(_ id: Int64, _ entry: PolicyEntry) throws -> ChangeReceipt {
        let before = try status(id)
        let (after, reason) = rules.judge(try EvidenceRows.evidence(of: id, artifact: entry.artifact, database))
        if after != before {
            try database.execute(
                sql: "UPDATE standing SET status = ? WHERE entry = ?", arguments: [after.rawValue, id])
            try seal("standing", "entry", id)
            try insert(
                "transition",
                ["entry": id, "before": before.rawValue, "after": after.rawValue, "reason": reason, "at": now])
        }
        return ChangeReceipt(entry: id, isNew: true, status: after, sequence: sequence)
    }

    private func status(_ id: Int64) throws -> EntryStatus {
        let text = try String.fetchOne(database, sql: "SELECT status FROM standing WHERE entry = ?", arguments: [id])
        guard let status = text.flatMap(EntryStatus.init(rawValue:)) else { throw Damage(description: "no status") }
        return status
    }

    private func receipt(_ id: Int64, isNew: Bool) throws -> ChangeReceipt {
        ChangeReceipt(entry: id, isNew: isNew, status: try status(id), sequence: sequence)
    }

    // MARK: What it refers to

    private func known(_ key: EntryKey, artifact: String) throws -> (Int64, PolicyEntry) {
        guard let id = try entryID(key) else { throw Self.unknown(key) }
        let entry = try EntryRows.entry(id, database).entry
        guard entry.artifact == artifact else {
            throw Failure(
                .invalidArgument, "the artifact \(artifact.prefix(12))… is not that of \(key)",
                hint: "it is \(entry.artifact.prefix(12))…; add what was measured as an entry of its own")
        }
        return (id, entry)
    }

    private static func unknown(_ key: EntryKey) -> Failure {
        Failure(.notFound, "\(key) is not in the repository", hint: "add it first")
    }

    private func bound(
        _ table: String, of id: Int64, _ limit: Int, _ key: EntryKey, _ what: String
    ) throws {
        let count = try Int.fetchOne(
            database, sql: "SELECT COUNT(*) FROM \(table) WHERE entry = ?", arguments: [id])
        guard (count ?? 0) < limit else {
            throw Failure(.tooMany, "\(key) has \(limit) \(what) already", hint: "add a new version of it")
        }
    }

    private func profileID(of workload: WorkloadProfile) throws -> Int64 {
        let content = try SortedJSON.text(
            StoredProfile(workloadClass: workload.workloadClass, features: workload.features))
        let digest = ArtifactStore.digest(Array(content.utf8))
        if let id = try Int64.fetchOne(database, sql: "SELECT id FROM profile WHERE digest = ?", arguments: [digest]) {
            return id
        }
        return try insert("profile", ["digest": digest, "class": workload.workloadClass, "content": content])
    }
}
