import Attestation
import FoundationEssentials
package import Model

/// What the policy of a bundle says of itself, as far as its travel needs it. The policy stays the bytes that the repository
/// wrote; whoever takes it in reads all of it.
package struct PolicyFacts: Hashable, Sendable {
    package let key: EntryKey
    package let kind: EntryKind
    package let summary: String
    package let license: String
    /// SHA-256, hex: of the object, or of the text of a primitive.
    package let artifact: String
    package let source: SourceText?
    /// DSSE envelopes.
    package let envelopes: [[UInt8]]
    /// How many measured effects it brings.
    package let outcomes: Int
    /// When the newest of its evidence came to be, in seconds since 1970; nil where there is none.
    package let newestEvidence: Int64?

    package init(policy bytes: [UInt8]) throws(Failure) {
        guard bytes.count <= ExchangeLimits.policyBytes else {
            throw Failure(.tooMany, "a policy of \(bytes.count) bytes, more than \(ExchangeLimits.policyBytes)")
        }
        let form: PolicyForm
        do { form = try JSONDecoder().decode(PolicyForm.self, from: Data(bytes)) } catch {
            throw Failure(.malformed, "the policy cannot be read: \("\(error)".escapedForDisplay(limit: 200))")
        }
        let entry = form.entry
        guard let kind = EntryKind(rawValue: entry.kind) else {
            throw Failure(.malformed, "\(entry.kind.quotedForDisplay()) is not a kind of entry")
        }
        key = EntryKey(try SchedulerName(entry.name), try SemanticVersion(entry.version))
        self.kind = kind
        (summary, license) = (entry.summary, entry.license)
        guard Hex.isHex(entry.artifact, digits: 64) else {
            throw Failure(.malformed, "the digest of the artifact of \(key) is none")
        }
        artifact = entry.artifact
        source = try Self.source(entry)
        envelopes = try Self.envelopes(form)
        outcomes = form.outcomes.count
        newestEvidence =
            (form.attestations.map(\.attestation.issuedAt) + form.outcomes.map { $0.measuredAt / 1_000_000_000 }).max()
    }

    private static func source(_ entry: PolicyForm.Entry) throws(Failure) -> SourceText? {
        guard let text = entry.source else { return nil }
        let file = entry.sourceFile ?? ""
        guard (1...255).contains(file.utf8.count), !file.hasPrefix("."), !file.contains("/"), !file.contains("\0")
        else {
            throw Failure(.malformed, "\(file.quotedForDisplay()) is not the name of a source file")
        }
        guard text.utf8.count <= ExchangeLimits.sourceBytes else {
            throw Failure(.tooMany, "a source of more than \(ExchangeLimits.sourceBytes >> 10) KiB")
        }
        return SourceText(file: file, text: text)
    }

    /// Each is an envelope by its form, and the one that the policy names by its digest. Signatures are not checked here.
    private static func envelopes(_ form: PolicyForm) throws(Failure) -> [[UInt8]] {
        guard form.attestations.count <= ExchangeLimits.attestations else {
            throw Failure(
                .tooMany, "\(form.attestations.count) attestations, more than \(ExchangeLimits.attestations)")
        }
        var envelopes: [[UInt8]] = []
        for one in form.attestations {
            guard let data = Data(base64Encoded: one.envelope), data.count <= ExchangeLimits.attestationBytes else {
                throw Failure(.malformed, "an attestation of the policy cannot be read")
            }
            let bytes = [UInt8](data)
            guard ArtifactDigest.of(bytes) == one.attestation.digest else {
                throw Failure(.malformed, "an attestation of the policy is not the one that it names")
            }
            do throws(Refusal) { _ = try Envelope.parse(bytes) } catch { throw error.asFailure }
            envelopes.append(bytes)
        }
        return envelopes
    }
}

/// Of the repository's form, what is looked at.
private struct PolicyForm: Decodable {
    struct Entry: Decodable {
        var name: String
        var version: String
        var kind: String
        var summary: String
        var license: String
        var artifact: String
        var sourceFile: String?
        var source: String?
    }

    struct Attested: Decodable {
        struct Facts: Decodable {
            var digest: String
            var issuedAt: Int64
        }

        var attestation: Facts
        var envelope: String
    }

    struct Outcome: Decodable { var measuredAt: Int64 }

    var entry: Entry
    var attestations: [Attested]
    var outcomes: [Outcome]
}
