import ArgumentParser
import Attestation
import Client
import Foundation
import Model
import Wire

struct Attest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Attestations: the signed statements without which nothing is deployed.",
        discussion: """
            EXAMPLES:
              schedctl attest issue vtime --param slice_us=5000 --output vtime.intoto.json
              schedctl deploy vtime --param slice_us=5000 --attestation vtime.intoto.json
              schedctl attest show vtime.intoto.json
              schedctl key export | schedctl attest verify vtime.intoto.json --key -
            """,
        subcommands: [AttestIssue.self, AttestShow.self, AttestVerify.self, AttestRevoke.self])
}

struct AttestIssue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Have a scheduler verified by the daemon's verifier, and its attestation signed.",
        discussion: """
            The attestation is good for one deployment of this artifact with these arguments on this kernel, by you, until it
            expires. It is printed where no --output is given.

            EXAMPLES:
              schedctl attest issue vtime > vtime.intoto.json
              schedctl attest issue ljf --hint process:encoder=40s --for-anybody --output ljf.intoto.json
              schedctl attest issue mine.bpf.c --effort full --output mine.intoto.json
            """)
    @OptionGroup var what: SchedulerArguments
    @Option(help: "How much is tried: quick or full (default: what your role needs).") var effort: String?
    @Option(name: .shortAndLong, help: "Write it to this file.", completion: .file()) var output: String?
    @Flag(help: "Let anybody with the right to deploy use it, not only you.") var forAnybody = false
    @Option(help: "Why you vouch for a raw object file (for those who may deploy one unverified).") var reason = ""
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let verification = try options.reading { () throws(Failure) in
            try DaemonVerification(what, effort: effort, forAnybody: forAnybody, reason: reason, options: options)
        }
        try await options.run { client throws(Failure) in
            let reply = try await verification.run(with: client)
            if let output {
                do { try reply.envelope.write(to: URL(filePath: output), options: .atomic) } catch {
                    throw Failure(
                        .storage,
                        "\(output.quotedForDisplay(limit: 200)) could not be written: \(error.localizedDescription)")
                }
                if options.json { return options.printJSON(reply) }
                for stage in reply.stages { print("\(Terminal.safe(stage.stage)): \(Terminal.safe(stage.verdict))") }
            } else {
                options.json ? options.printJSON(reply) : print(String(decoding: reply.envelope, as: UTF8.self))
            }
        }
    }
}

struct AttestShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "What an attestation says. Nothing is checked, and no daemon asked.",
        discussion: """
            EXAMPLE:
              schedctl attest show vtime.intoto.json
            """)
    @Argument(help: "The attestation.", completion: .file()) var file: String
    @Flag(help: "Print the in-toto statement as JSON.") var json = false

    func run() async throws {
        try Offline.run { () throws(Failure) in
            let envelope = try Offline.envelope(file)
            if json { return print(String(decoding: envelope.payload, as: UTF8.self)) }
            let claims = try Offline.refusing { () throws(Refusal) in try envelope.unverifiedClaims() }
            print(AttestationDescription(claims, signatures: envelope.signatures).text)
            print("(not checked: schedctl attest verify)")
        }
    }
}

struct AttestVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check an attestation's signature, form and times, without a daemon.",
        discussion: """
            Whether it is revoked or was used, and whether it fits a machine's kernel and rules, only that machine's daemon
            knows. Exits 0 where it is good, 1 where it is not.

            EXAMPLES:
              schedctl key export > build-machine.pem
              schedctl attest verify vtime.intoto.json --key build-machine.pem
              schedctl attest verify vtime.intoto.json --key build-machine.pem --artifact vtime.bpf.o
            """)
    @Argument(help: "The attestation.", completion: .file()) var file: String
    @Option(
        help: "A public key, as PEM or `ed25519 BASE64`; - for standard input. May be repeated.", completion: .file())
    var key: [String]
    @Option(help: "The object file that it has to be about.", completion: .file()) var artifact: String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try Offline.run { () throws(Failure) in
            var keys: [VerifierKey] = []
            for path in key { keys.append(try VerifierKey(name: path, text: try Offline.text(path))) }
            let bytes = try SmallFile.read(file, limit: 16 << 20, what: "an attestation")
            let envelope = try Offline.envelope(file)
            let claims = try Offline.refusing { () throws(Refusal) in try envelope.unverifiedClaims() }
            var digest = claims.artifact
            if let artifact {
                digest = Offline.sha256(try SmallFile.read(artifact, limit: 64 << 20, what: "a scheduler"))
            }
            // What only the machine knows is taken from the statement itself: it agrees with that by definition.
            let check = AttestationCheck(
                artifact: digest, arguments: claims.arguments, kernel: claims.kernel,
                now: Int64(Date().timeIntervalSince1970),
                keys: keys, requiredStages: [], maxLifetimeSeconds: .max, userID: claims.holder?.userID ?? 0)
            let good = try Offline.refusing { () throws(Refusal) in try check.verify(bytes) }
            if json { return print(String(decoding: envelope.payload, as: UTF8.self)) }
            print(AttestationDescription(good, signatures: envelope.signatures, keys: keys).text)
            print(Terminal.styled("good", .green) + ": the signature is valid and it has not expired")
        }
    }
}

struct AttestRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Make this machine refuse one attestation from now on.",
        discussion: """
            EXAMPLE:
              sudo schedctl attest revoke vtime.intoto.json --reason 'starves batch jobs'
            """)
    @Argument(help: "The attestation, or its nonce.", completion: .file()) var file: String
    @Option(help: "Why, for the audit.") var reason: String
    @OptionGroup var options: CommonOptions

    func run() async throws {
        var request = WireAttestRevokeRequest()
        request.reason = reason
        request.nonce = try options.reading { () throws(Failure) in
            let isNonce = file.utf8.count == 32 && file.allSatisfy(\.isHexDigit)
            return isNonce ? file : try Offline.claims(file).nonce
        }
        try await options.run { [request] client throws(Failure) in
            let result = try await client.call(.attestRevoke(request))
            guard case .done(let done) = result else { throw SchedClient.unexpected(result) }
            options.json ? options.printJSON(done) : print("the attestation \(request.nonce) is revoked")
        }
    }
}

/// What the commands share that ask no daemon.
enum Offline {
    static func run(_ body: () throws(Failure) -> Void) throws {
        do { try body() } catch {
            Terminal.complain(error)
            throw ExitCode(1)
        }
    }

    static func refusing<R>(_ body: () throws(Refusal) -> R) throws(Failure) -> R {
        do { return try body() } catch { throw error.asFailure }
    }

    static func envelope(_ path: String) throws(Failure) -> Envelope {
        let bytes = try SmallFile.read(path, limit: 16 << 20, what: "an attestation")
        return try refusing { () throws(Refusal) in try Envelope.parse(bytes) }
    }

    static func claims(_ path: String) throws(Failure) -> AttestationClaims {
        let envelope = try envelope(path)
        return try refusing { () throws(Refusal) in try envelope.unverifiedClaims() }
    }

    static func text(_ path: String) throws(Failure) -> String {
        let path = path == "-" ? "/dev/stdin" : path
        return String(decoding: try SmallFile.read(path, limit: 64 * 1024, what: "a key"), as: UTF8.self)
    }

    static func sha256(_ bytes: [UInt8]) -> String { ArtifactDigest.of(bytes) }
}
