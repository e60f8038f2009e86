import Model
import Repository
import TestSupport
import Testing

/// Entries that travel: everything arrives, and nothing of it is believed.
@Suite(.timeLimit(.minutes(5))) struct BundleTests {
    private static func proven() async throws -> PolicyBundle {
        let repository = try TestRepository()
        let entry = try Policies.entry("fifo@1.0.0")
        try await repository.open.add(entry)
        try await repository.open.attest(Policies.attestation(of: entry))
        for number in 0..<4 { try await repository.open.record(Policies.outcome("o\(number)", of: entry)) }
        #expect(try await repository.open.entry(entry.key).status == .proven)
        return try await repository.open.bundle(entry.key)
    }

    @Test func aBundleIsReadBack() async throws {
        let bundle = try await Self.proven()
        #expect(bundle.outcomes.count == 4 && bundle.attestations.count == 1)
        let json = try bundle.json()
        #expect(try PolicyBundle(json: json) == bundle)
        #expect(try bundle.json() == json)
    }

    @Test func whatComesFromElsewhereIsACandidate() async throws {
        let bundle = try await Self.proven()
        let repository = try TestRepository()
        let receipt = try await repository.open.take(bundle, from: "registry.example/fifo", at: 5)
        #expect(receipt.status == .candidate)
        let record = try await repository.open.entry(bundle.entry.key)
        #expect(record.status == .candidate && record.entry.provenance.origin == .imported)
        #expect(record.entry.provenance.maker == "registry.example/fifo")
        #expect(record.entry.provenance.change.contains("alice"))
        #expect(try await repository.open.outcomes(of: record.id).allSatisfy { $0.origin == .imported })
        #expect(try await repository.open.outcomes(of: record.id).count == 4)
        #expect(try await repository.open.attestations(of: record.id).map(\.isLocal) == [false])
        // Once more changes nothing; verified here it counts.
        let before = try await Picture(repository.open)
        #expect(try await repository.open.take(bundle, from: "registry.example/fifo", at: 6).isNew == false)
        #expect(try await Picture(repository.open) == before)
        let verified = Policies.attestation(of: record.entry, "made here")
        #expect(try await repository.open.attest(verified).status == .verified)
        // Another content under the same name is refused.
        var other = bundle
        other.entry.description = "something else"
        await #expect(throws: Failure.self) { try await repository.open.take(other, from: "elsewhere", at: 7) }
    }

    @Test func aBundleThatIsNoneIsRefused() async throws {
        let json = String(decoding: try await Self.proven().json(), as: UTF8.self)
        let bad = [
            "", "{}", "[]", "null", String(json.dropLast()), json.replacing("makespan", with: "Make Span"),
            json.replacing("fifo@1.0.0", with: "other@1.0.0"), json.replacing("\"runs\":10", with: "\"runs\":1"),
            json.replacing("\"kind\":\"scheduler\"", with: "\"kind\":\"virus\""),
            json.replacing("\"low\":\"1000\"", with: "\"low\":\"x\""),
            json.replacing("\"artifact\":\"", with: "\"artifact\":\"z"),
        ]
        for text in bad {
            #expect(text != json)
            #expect(throws: Failure.self) { try PolicyBundle(json: Array(text.utf8)) }
        }
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>) func damagedBundlesDoNotCrash(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let entry = try Policies.entry("fifo@1.0.0")
        let bundle = PolicyBundle(
            entry: entry, attestations: [Policies.attestation(of: entry)], outcomes: [Policies.outcome("o", of: entry)])
        var bytes = try bundle.json()
        for _ in 0..<(1 + random.below(8)) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
        do throws(Failure) { _ = try PolicyBundle(json: bytes) } catch { #expect(!error.message.isEmpty) }
    }
}
