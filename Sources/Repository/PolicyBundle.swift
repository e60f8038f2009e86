import FoundationEssentials
package import Model

/// An entry with its evidence, as it travels to another machine. Its object travels beside it.
package struct PolicyBundle: Hashable, Sendable {
    package static let maxBytes = 32 << 20

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
        let stored = StoredBundle(
            entry: StoredEntry(entry),
            attestations: attestations.map {
                StoredBundle.Attested(
                    attestation: StoredAttestation($0), envelope: Data($0.envelope).base64EncodedString())
            }, outcomes: outcomes.map(StoredOutcome.init))
        return Array(try SortedJSON.text(stored).utf8)
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
        entry = try stored.entry.entry()
        try entry.check()
        attestations = []
        for one in stored.attestations {
            guard let envelope = Data(base64Encoded: one.envelope) else {
                throw Failure(.malformed, "an envelope of the bundle is not base64")
            }
            attestations.append(try one.attestation.attestation([UInt8](envelope)))
        }
        outcomes = try stored.outcomes.map { one throws(Failure) in try one.outcome() }
        for attestation in attestations { try attestation.check() }
        for outcome in outcomes { try outcome.check() }
        let keys = attestations.map(\.entry) + outcomes.map(\.entry)
        guard keys.allSatisfy({ $0 == entry.key }) else {
            throw Failure(.invalidArgument, "the bundle of \(entry.key) holds evidence of another entry")
        }
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
}

extension PolicyRepository {
    /// An entry with the last of its evidence.
    package func bundle(_ key: EntryKey) async throws(Failure) -> PolicyBundle {
        let record = try await entry(key)
        return PolicyBundle(
            entry: record.entry, attestations: try await attestations(of: record.id),
            outcomes: try await outcomes(of: record.id, limit: Self.maxRows).reversed())
    }

    /// Takes a bundle in as a candidate, whatever it was elsewhere: its attestations and outcomes are kept and shown, and
    /// promote nothing. The caller has checked the signatures. The same again goes on where it stopped.
    /// - Parameter source: where it comes from, one line.
    @discardableResult
    package func take(_ bundle: PolicyBundle, from source: String, at now: Int64) async throws(Failure) -> ChangeReceipt
    {
        var entry = bundle.entry
        entry.provenance = Provenance(
            .imported, maker: source, parent: entry.provenance.parent,
            change: String("by \(entry.provenance.maker). \(entry.provenance.change)".prefix(4000)))
        var receipt: ChangeReceipt?
        do throws(Failure) { receipt = try await add(entry, at: now) } catch {
            guard let there = try? await self.entry(entry.key), there.entry.isSameCode(as: entry) else { throw error }
        }
        for var attestation in bundle.attestations {
            attestation.isLocal = false
            receipt = try await attest(attestation, at: now)
        }
        for var outcome in bundle.outcomes {
            outcome.origin = .imported
            receipt = try await record(outcome, at: now)
        }
        if let receipt { return receipt }
        let there = try await self.entry(entry.key)
        return ChangeReceipt(entry: there.id, isNew: false, status: there.status, sequence: generation)
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
