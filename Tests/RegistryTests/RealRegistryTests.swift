import Exchange
import Foundation
import Model
import Registry
import RegistrySupport
import TestSupport
import Testing
import Web

/// The same against a registry that others wrote.
@Suite(.timeLimit(.minutes(10)), .enabled(if: RealRegistry.program != nil, Comment(rawValue: RealRegistry.missing)))
struct RealRegistryTests {
    private static let account = RegistryClient.Accounts(
        credentials: RegistryCredentials(user: "ann", password: "s3:cr et"))

    private static func push(
        _ artifact: EntryArtifact, _ registry: RealRegistry, _ accounts: RegistryClient.Accounts = .init(),
        tag: String = "1.0.0"
    ) async throws(Failure) -> PushReceipt {
        let reference = try RegistryReference("\(registry.name)/team/fifo")
        return try await RegistryClient.with(
            reference, .push, accounts: accounts, patience: PushPullTests.patience
        ) { client throws(Failure) in try await client.push(artifact, tag: tag) }
    }

    private static func pull(
        _ registry: RealRegistry, _ rest: String = ":1.0.0", _ accounts: RegistryClient.Accounts = .init()
    ) async throws(Failure) -> PulledEntry {
        let reference = try RegistryReference("\(registry.name)/team/fifo\(rest)")
        return try await RegistryClient.with(
            reference, .pull, accounts: accounts, patience: PushPullTests.patience
        ) { client throws(Failure) in try await client.pull() }
    }

    @Test func whatIsPushedIsPulledAndWhatIsTamperedWithIsRefused() async throws {
        let artifact = try EntryArtifact(try SampleEntry(attestations: 3).travelling())
        try await RealRegistry.with { registry in
            let receipt = try await Self.push(artifact, registry)
            #expect(receipt.digest == artifact.descriptor.digest && receipt.sent == artifact.blobs.count)
            #expect(try await Self.push(artifact, registry, tag: "1.0.1").sent == 0)
            for rest in ["", ":1.0.0", "@\(receipt.digest)"] {
                let pulled = try await Self.pull(registry, rest)
                #expect(pulled.entry == artifact.entry && pulled.digest == receipt.digest && pulled.ignored.isEmpty)
            }
            // In its store each blob is changed in turn.
            let digests = artifact.blobs.dropFirst().map(\.descriptor.digest) + [artifact.descriptor.digest]
            for digest in digests {
                let file = registry.path(ofBlob: digest.hex)
                let whole = registry.folder.bytes(file)
                #expect(Digest(of: whole) == digest)
                var bytes = whole
                bytes[bytes.count / 2] ^= 1
                try registry.folder.write(bytes, to: file)
                let failure = await PushPullTests.failure { () throws(Failure) in
                    try await Self.pull(registry, "@\(receipt.digest)")
                }
                #expect(failure != nil, "\(digest)")
                try registry.folder.write(whole, to: file)
            }
            #expect(try await Self.pull(registry).entry == artifact.entry)
        }
    }

    @Test func itsAccountsAreAskedFor() async throws {
        let artifact = try EntryArtifact(try SampleEntry.primitive().travelling())
        try await RealRegistry.with(account: true) { registry in
            let stranger = await PushPullTests.failure { () throws(Failure) in try await Self.push(artifact, registry) }
            #expect(stranger?.code == .denied)
            _ = try await Self.push(artifact, registry, Self.account)
            #expect(try await Self.pull(registry, "", Self.account).entry == artifact.entry)
            let wrong = RegistryClient.Accounts(credentials: RegistryCredentials(user: "ann", password: "no"))
            let refused = await PushPullTests.failure { () throws(Failure) in try await Self.pull(registry, "", wrong) }
            #expect(refused?.code == .denied)
        }
    }

    @Test func aCertificateThatNobodyTrustsIsRefused() async throws {
        try await RealRegistry.with(encrypted: true) { registry in
            let address = try WebAddress("https://\(registry.name)/v2/")
            let failure = await PushPullTests.failure { () throws(Failure) in
                try await WebClient.with(PushPullTests.patience) { web throws(Failure) in
                    try await web.send(WebRequest(.get, address))
                }
            }
            #expect(failure?.message.lowercased().contains("certificate") == true, "\(String(describing: failure))")
        }
    }
}
