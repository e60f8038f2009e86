import FoundationEssentials
package import Model

/// An entry with its evidence, as it travels to another machine. Its object travels beside it.
package struct PolicyBundle: Hashable, Sendable {
    /// Of its JSON, and so of a line in the log of changes.
    package static let maxBytes = 6 << 20

    package var entry: PolicyEntry
    package var attestations: [EntryAttestation]
    package var outcomes: [Outcome]

    package init(entry: PolicyEntry, attestations: [EntryAttestation], outcomes: [Outcome]) {
        self.entry = entry
        self.attestations = attestations
        self.outcomes = outcomes
    }

    /// The same text for the same bundle.
    package func json() throws(Failure) -> [UInt8] {
        Array(try SortedJSON.text(StoredBundle(self)).utf8)
    }

    /// Refuses what the repository would refuse, before anything of it is used.
    package init(json bytes: [UInt8]) throws(Failure) {
        guard bytes.count <= Self.maxBytes else {
            throw Failure(.tooMany, "a bundle of \(bytes.count) bytes, more than \(Self.maxBytes)")
        }
        let stored: StoredBundle
        do { stored = try JSONDecoder().decode(StoredBundle.self, from: Data(bytes)) } catch {
            throw Failure(.malformed, "the bundle cannot be read: \("\(error)".escapedForDisplay(limit: 200))")
        }
        self = try stored.bundle()
        try check()
    }
}

struct StoredBundle: Codable {
    struct Attested: Codable {
        var attestation: StoredAttestation
        var envelope: String
    }

    var entry: StoredEntry
    var attestations: [Attested]
    var outcomes: [StoredOutcome]

    init(_ bundle: PolicyBundle) {
        entry = StoredEntry(bundle.entry)
        attestations = bundle.attestations.map {
            Attested(attestation: StoredAttestation($0), envelope: Data($0.envelope).base64EncodedString())
        }
        outcomes = bundle.outcomes.map(StoredOutcome.init)
    }

    func bundle() throws(Failure) -> PolicyBundle {
        var bundle = PolicyBundle(entry: try entry.entry(), attestations: [], outcomes: [])
        for one in attestations {
            guard let envelope = Data(base64Encoded: one.envelope) else {
                throw Failure(.malformed, "an envelope of the bundle is not base64")
            }
            bundle.attestations.append(try one.attestation.attestation([UInt8](envelope)))
        }
        bundle.outcomes = try outcomes.map { one throws(Failure) in try one.outcome() }
        return bundle
    }
}

extension PolicyRepository {
    /// An entry with the last of its evidence, as much as a bundle may hold: older outcomes are left out first.
    package func bundle(_ key: EntryKey) async throws(Failure) -> PolicyBundle {
        let record = try await entry(key)
        var bundle = PolicyBundle(
            entry: record.entry, attestations: try await attestations(of: record.id),
            outcomes: try await outcomes(of: record.id, limit: Self.maxRows).reversed())
        while try bundle.json().count > PolicyBundle.maxBytes {
            if !bundle.outcomes.isEmpty {
                bundle.outcomes.removeFirst(bundle.outcomes.count / 2 + 1)
            } else if !bundle.attestations.isEmpty {
                bundle.attestations.removeFirst(bundle.attestations.count / 2 + 1)
            } else {
                throw Failure(.tooMany, "\(key) is larger than a bundle may be")
            }
        }
        return bundle
    }

    /// Takes a bundle in as a candidate, whatever it was elsewhere: its attestations and outcomes are kept and shown, and
    /// promote nothing. The caller has checked the signatures. All of it or nothing; the same again changes nothing.
    /// - Parameter source: where it comes from, one line.
    @discardableResult
    package func take(_ bundle: PolicyBundle, from source: String, at now: Int64) async throws(Failure) -> ChangeReceipt
    {
        var bundle = bundle
        let before = bundle.entry.provenance
        bundle.entry.provenance = Provenance(
            .imported, maker: source, parent: before.parent,
            change: String("by \(before.maker). \(before.change)".prefix(4000)))
        for index in bundle.attestations.indices { bundle.attestations[index].isLocal = false }
        for index in bundle.outcomes.indices { bundle.outcomes[index].origin = .imported }
        return try await change(.bundle(bundle), at: now)
    }
}

extension PolicyBundle {
    /// Refuses what the repository would refuse, before anything of it is used.
    func check() throws(Failure) {
        try entry.check()
        for attestation in attestations { try attestation.check() }
        for outcome in outcomes { try outcome.check() }
        let keys = attestations.map(\.entry) + outcomes.map(\.entry)
        guard keys.allSatisfy({ $0 == entry.key }) else {
            throw Failure(.invalidArgument, "the bundle of \(entry.key) holds evidence of another entry")
        }
    }
}

extension ChangeApplier {
    /// The entry may be there already, as one that is shipped is on every machine.
    func add(_ bundle: PolicyBundle) throws -> ChangeReceipt {
        let key = bundle.entry.key
        var receipt: ChangeReceipt?
        var isNew = false
        if let id = try entryID(key) {
            let there = try EntryRows.entry(id, database)
            guard there.entry.isSameCode(as: bundle.entry) else {
                throw Failure(
                    .invalidArgument, "\(key) is in the repository with another content",
                    hint: "an entry never changes: give it a new version")
            }
            receipt = ChangeReceipt(entry: id, isNew: false, status: there.status, sequence: sequence)
        } else {
            receipt = try apply(.entry(bundle.entry))
            isNew = true
        }
        for change in bundle.attestations.map(RepositoryChange.attestation)
            + bundle.outcomes.map(RepositoryChange.outcome)
        {
            receipt = try apply(change)
            isNew = isNew || receipt?.isNew == true
        }
        guard let receipt else { throw Failure(.internal, "a bundle was not applied") }
        return ChangeReceipt(entry: receipt.entry, isNew: isNew, status: receipt.status, sequence: sequence)
    }
}

extension PolicyEntry {
    /// But for where they come from, the same.
    fileprivate func isSameCode(as other: PolicyEntry) -> Bool {
        var mine = self
        mine.provenance = other.provenance
        return mine == other
    }
}
