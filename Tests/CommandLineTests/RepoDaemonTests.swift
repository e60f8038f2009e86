import Attestation
import Exchange
import Foundation
import Model
import RegistrySupport
import Repository
import TestSupport
import Testing

/// `schedctl repo` between real daemons: what one machine has goes to another, and is worth there what its keys say.
@Suite(.timeLimit(.minutes(10)), .enabled(if: Checkout.isRoot, "who may contribute is root here"))
struct RepoDaemonTests {
    /// A daemon that trusts the key of the samples, or not.
    private static func daemon(trusting: Bool) async throws -> TestDaemon {
        let folder = try await TestDaemon.folder()
        if trusting {
            let key = try VerifierKey(name: "elsewhere", publicKey: SampleEntry.signer.publicKey)
            try folder.write(
                folder.text("policy/rules.conf") + "\ntrust elsewhere \(key.text)\n", to: "policy/rules.conf")
        }
        return try await TestDaemon.start(in: folder)
    }

    private static func layout(_ sample: SampleEntry, _ path: String) throws {
        try LayoutFolder(writing: path).add(try EntryArtifact(try sample.travelling()))
    }

    @Test func anEntryTravelsAndAForgedOneDoesNot() async throws {
        let here = try await Self.daemon(trusting: true)
        let folder = try TemporaryFolder()
        let object = try await Checkout.object("fifo")
        let sample = try SampleEntry("travelled@1.0.0").with(object: object)
        try Self.layout(sample, folder.path("good"))
        let taken = try await CommandLine.run(["repo", "import", folder.path("good")], socket: here.socket)
        #expect(taken.status == 0, "\(taken.errors)")
        #expect(taken.output.contains("travelled@1.0.0 is in the repository as a candidate"), "\(taken.output)")
        let again = try await CommandLine.run(["repo", "import", folder.path("good")], socket: here.socket)
        #expect(again.status == 0 && again.output.contains("was there already"), "\(again.errors)")
        let shown = try await CommandLine.run(["repo", "show", "travelled"], socket: here.socket)
        #expect(shown.output.contains("candidate") && shown.output.contains("from elsewhere"), "\(shown.output)")
        let list = try await CommandLine.run(["repo", "list", "--json"], socket: here.socket)
        let names = (list.json?["entries"] as? [[String: Any]])?.compactMap { $0["name"] as? String } ?? []
        #expect(Set(names).isSuperset(of: Checkout.schedulers + ["travelled"]))

        // Signed by somebody else, whatever the key's name, and nothing of it stays.
        let forged = try SampleEntry("forged@1.0.0").with(object: object, signer: SigningKey())
        try Self.layout(forged, folder.path("forged"))
        let refused = try await CommandLine.run(["repo", "import", folder.path("forged")], socket: here.socket)
        #expect(refused.status == 4 && refused.errors.contains("forged@1.0.0 was not taken in"), "\(refused.errors)")
        #expect(try await CommandLine.run(["repo", "show", "forged"], socket: here.socket).status == 1)

        // Out again, through a registry, into a machine that does not know the key, and into one that does.
        try await FakeRegistry.with { registry in
            let place = "\(registry.name)/travelled"
            let push = try await CommandLine.run(["repo", "push", "travelled", place], socket: here.socket)
            #expect(push.status == 0, "\(push.errors)")
            let stranger = try await Self.daemon(trusting: false)
            let denied = try await CommandLine.run(["repo", "pull", place], socket: stranger.socket)
            #expect(denied.status == 4, "\(denied.errors)")
            let friend = try await Self.daemon(trusting: true)
            let pulled = try await CommandLine.run(["repo", "pull", place], socket: friend.socket)
            #expect(pulled.status == 0 && pulled.output.contains("as a candidate"), "\(pulled.errors)")
            let out = try await CommandLine.run(
                ["repo", "export", "travelled", "-o", folder.path("out")], socket: friend.socket)
            #expect(out.status == 0, "\(out.errors)")
        }
        let layout = try LayoutFolder(reading: folder.path("out"))
        let back = try layout.read(try #require(try layout.entries().first))
        #expect(back.object == object && back.facts.source == sample.bundle.entry.source)
        #expect(back.facts.envelopes == sample.bundle.attestations.map(\.envelope) && back.facts.outcomes == 1)
    }
}
