import ArgumentParser
import Attestation
import Client
import Foundation
import Model
import Wire

struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The keys that sign attestations.",
        discussion: """
            EXAMPLES:
              schedctl key list
              schedctl key export > this-machine.pem
              sudo schedctl key rotate
              sudo schedctl key revoke 3f2a… --reason 'the build machine was broken into'
            """,
        subcommands: [KeyList.self, KeyExport.self, KeyRotate.self, KeyRevoke.self])

    static func all(_ client: SchedClient) async throws(Failure) -> WireKeyList {
        let result = try await client.call(.keys(WireKeysRequest()))
        guard case .keys(let list) = result else { throw SchedClient.unexpected(result) }
        return list
    }

    static func show(_ list: WireKeyList, _ options: CommonOptions) {
        if options.json { return options.printJSON(list) }
        let rows = list.keys.map { key in
            [
                key.keyID, key.state, key.notAfter == 0 ? "-" : Terminal.time(key.notAfter * 1_000_000_000),
                Terminal.oneLine(key.name),
            ]
        }
        print(Terminal.table([["KEY", "STATE", "SIGNS UNTIL", "OF"]] + rows))
    }
}

struct KeyList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "This machine's keys, and those of other verifiers that its rules trust.",
        discussion: """
            EXAMPLE:
              schedctl key list
            """)
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in Key.show(try await Key.all(client), options) }
    }
}

struct KeyExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "The public key with which this machine signs now.",
        discussion: """
            On another machine, `trust NAME ed25519 …` in /etc/schedcp/rules.conf makes it accept what this one has verified.

            EXAMPLES:
              schedctl key export                  as PEM
              schedctl key export --format rules   as a line of rules.conf takes it
            """)
    enum Format: String, ExpressibleByArgument, CaseIterable { case pem, rules }
    @Option(help: "pem or rules.") var format = Format.pem
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            guard let current = try await Key.all(client).keys.first(where: { $0.state == "current" }) else {
                throw Failure(.notFound, "the daemon named no key of its own")
            }
            if options.json { return options.printJSON(current) }
            let key = try VerifierKey(name: "", publicKey: [UInt8](current.publicKey))
            print(format == .pem ? key.pem : key.text, terminator: format == .pem ? "" : "\n")
        }
    }
}

struct KeyRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Sign with a new key from now on.",
        discussion: """
            What the old key has signed stays good for the overlap, then is refused. Export the new key to the machines that
            trust this one.

            EXAMPLES:
              sudo schedctl key rotate
              sudo schedctl key rotate --overlap 1h
            """)
    @Option(help: "How long the old key's signatures stay good (default: an attestation's lifetime).") var overlap:
        String?
    @OptionGroup var options: CommonOptions

    func run() async throws {
        var request = WireKeyRotateRequest()
        if let overlap {
            request.overlapSeconds = try options.reading { () throws(Failure) in
                UInt32(clamping: max(1, try DurationText.parse(overlap) / 1_000_000_000))
            }
        }
        try await options.run { [request] client throws(Failure) in
            let result = try await client.call(.keyRotate(request))
            guard case .keys(let list) = result else { throw SchedClient.unexpected(result) }
            Key.show(list, options)
        }
    }
}

struct KeyRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Refuse everything that a key has signed.",
        discussion: """
            This machine's own current key is replaced at once. A scheduler that runs already goes on running; it is not put
            back after an ejection.

            EXAMPLE:
              sudo schedctl key revoke 3f2a… --reason 'the build machine was broken into'
            """)
    @Argument(help: "The key's id (schedctl key list).") var id: String
    @Option(help: "Why, for the audit.") var reason: String
    @OptionGroup var options: CommonOptions

    func run() async throws {
        var request = WireKeyRevokeRequest()
        request.keyID = id
        request.reason = reason
        try await options.run { [request] client throws(Failure) in
            let result = try await client.call(.keyRevoke(request))
            guard case .keys(let list) = result else { throw SchedClient.unexpected(result) }
            Key.show(list, options)
        }
    }
}
