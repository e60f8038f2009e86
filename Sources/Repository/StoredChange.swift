import FoundationEssentials
import Model

/// One change of the repository, as the log of changes holds it: exactly one of the values is there.
struct StoredChange: Codable {
    /// Nanoseconds since the epoch.
    var at: Int64
    var entry: StoredEntry?
    var outcome: StoredOutcome?
    var attestation: StoredAttestation?
    /// Base64, of the attestation.
    var envelope: String?
    var incident: StoredIncident?
    var antipattern: StoredAntipattern?
    var bundle: StoredBundle?

    init(_ change: RepositoryChange, at now: Int64) {
        at = now
        switch change {
        case .entry(let value): entry = StoredEntry(value)
        case .outcome(let value): outcome = StoredOutcome(value)
        case .attestation(let value):
            attestation = StoredAttestation(value)
            envelope = Data(value.envelope).base64EncodedString()
        case .incident(let value): incident = StoredIncident(value)
        case .antipattern(let value): antipattern = StoredAntipattern(value)
        case .bundle(let value): bundle = StoredBundle(value)
        }
    }

    func change() throws(Failure) -> RepositoryChange {
        if let entry { return .entry(try entry.entry()) }
        if let outcome { return .outcome(try outcome.outcome()) }
        if let attestation {
            guard let envelope = Data(base64Encoded: envelope ?? "") else {
                throw Failure(.storage, "an envelope in the log of changes cannot be read")
            }
            return .attestation(try attestation.attestation([UInt8](envelope)))
        }
        if let incident { return .incident(try incident.incident()) }
        if let antipattern { return .antipattern(antipattern.antipattern) }
        if let bundle { return .bundle(try bundle.bundle()) }
        throw Failure(.storage, "a line in the log of changes holds nothing that is known here")
    }
}

/// What can happen to the repository.
enum RepositoryChange: Sendable {
    case entry(PolicyEntry)
    case outcome(Outcome)
    case attestation(EntryAttestation)
    case incident(Incident)
    case antipattern(Antipattern)
    /// An entry with its evidence, from elsewhere.
    case bundle(PolicyBundle)

    /// The same again is a change too.
    var isCounted: Bool {
        if case .antipattern = self { true } else { false }
    }

    /// Everything that can be refused without looking at what is there.
    func check() throws(Failure) {
        switch self {
        case .entry(let entry): try entry.check()
        case .outcome(let outcome): try outcome.check()
        case .attestation(let attestation): try attestation.check()
        case .incident(let incident): try incident.check()
        case .antipattern(let antipattern): try antipattern.check()
        case .bundle(let bundle): try bundle.check()
        }
    }
}

enum SortedJSON {
    /// The same text for the same value.
    static func text(_ value: some Encodable) throws(Failure) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
            throw Failure(.internal, "a record could not be encoded: \(error)")
        }
    }
}
