import ArgumentParser
import Client
import Exchange
import Foundation
import Linux
import Model
import Registry
import Web
import Wire

/// How to reach a registry.
struct RegistryOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The account; its password is the first line of standard input.", valueName: "name"))
    var username: String?
    @Flag(help: "Speak HTTP without encryption (to this machine that is done anyway).") var plainHttp = false

    /// The account that was given, or the one that podman or docker keep.
    func accounts(for reference: RegistryReference) throws(Failure) -> RegistryClient.Accounts {
        guard let username else {
            let files = try CredentialFiles(for: reference, environment: ProcessInfo.processInfo.environment)
            return RegistryClient.Accounts(credentials: files.credentials, helper: files.helper)
        }
        let bytes = try SmallFile.read("/dev/stdin", limit: 64 << 10, what: "a password")
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard !line.isEmpty, let password = String(validating: line, as: UTF8.self) else {
            throw Failure(
                .invalidArgument, "there is no password on standard input",
                hint: "for example: schedctl repo push … --username \(username) < password-file")
        }
        return RegistryClient.Accounts(credentials: RegistryCredentials(user: username, password: password))
    }
}

struct RepoPush: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Send an entry to an OCI registry.",
        discussion: """
            Without a tag it is tagged with its version. The account is the one that `podman login` or `docker login` have kept in
            a file, or --username with the password on standard input; credential helpers are not asked.

            EXAMPLES:
              schedctl repo push ljf registry.example/team/ljf
              schedctl repo push ljf@1.0.0 registry.example/team/ljf:stable
              schedctl repo push ljf localhost:5000/ljf --username ann < password-file
            """)
    @Argument(help: RepoText.keyHelp, completion: .custom(RepositoryCompletion.names)) var entry: String
    @Argument(help: ArgumentHelp("Where to.", valueName: "registry/repository[:tag]")) var place: String
    @OptionGroup(title: "Registry") var registry: RegistryOptions
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let reference = try options.reading { () throws(Failure) in
            let reference = try RegistryReference(place)
            guard reference.digest == nil else {
                throw Failure(.invalidArgument, "an entry is pushed under a tag, not under a digest")
            }
            return reference
        }
        try await options.run { client throws(Failure) in
            let accounts = try registry.accounts(for: reference)
            let artifact = try EntryArtifact(try await RepoClient(client).export(entry))
            let tag = reference.tag ?? "\(artifact.entry.facts.key.version)"
            let receipt = try await Terminal.withProgress { progress throws(Failure) in
                progress("sending \(artifact.entry.facts.key) to \(reference.registry)")
                return try await RegistryClient.with(reference, .push, accounts: accounts, plain: registry.plainHttp) {
                    remote throws(Failure) in try await remote.push(artifact, tag: tag)
                }
            }
            let name = "\(reference.registry)/\(reference.repository)"
            if options.json {
                return print(
                    RepoJSON.text([
                        "entry": "\(artifact.entry.facts.key)", "reference": "\(name):\(tag)",
                        "digest": "\(receipt.digest)", "blobs": receipt.blobs, "sent": receipt.sent,
                    ]))
            }
            print("\(artifact.entry.facts.key) is \(name):\(tag)")
            print("\(name)@\(receipt.digest)  (\(receipt.sent) of \(receipt.blobs) blobs were sent)")
        }
    }
}

struct RepoPull: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetch an entry from an OCI registry into this machine's repository.",
        discussion: """
            With a tag, what the registry has under it now; with a digest, that very entry; without either, the newest version
            among the tags. It is then imported, as `schedctl repo import` does, or kept in a folder with --output.

            EXAMPLES:
              schedctl repo pull registry.example/team/ljf
              schedctl repo pull registry.example/team/ljf:1.0.0 --output policies
              schedctl repo pull registry.example/team/ljf@sha256:…
            """)
    @Argument(help: ArgumentHelp("Where from.", valueName: "registry/repository[:tag|@digest]")) var place: String
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Keep it in this folder (an OCI image layout), and ask no daemon.", valueName: "dir"),
        completion: .directory)
    var output: String?
    @OptionGroup(title: "Registry") var registry: RegistryOptions
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let reference = try options.reading { () throws(Failure) in try RegistryReference(place) }
        guard let output else {
            return try await options.run { client throws(Failure) in
                let pulled = try await pull(reference)
                try await RepoImporting(client, options)
                    .take([pulled.entry], from: "\(reference.registry)/\(reference.repository)@\(pulled.digest)")
            }
        }
        try await options.runAlone { () throws(Failure) in
            let pulled = try await pull(reference)
            let artifact = try EntryArtifact(pulled.entry)
            try LayoutFolder(writing: output).add(artifact)
            if options.json { return print(RepoJSON.exported([artifact], in: output)) }
            print("\(artifact.entry.facts.key)  \(artifact.descriptor.digest)")
        }
    }

    private func pull(_ reference: RegistryReference) async throws(Failure) -> PulledEntry {
        let accounts = try registry.accounts(for: reference)
        let pulled = try await Terminal.withProgress { progress throws(Failure) in
            progress("fetching from \(reference.registry)")
            return try await RegistryClient.with(reference, .pull, accounts: accounts, plain: registry.plainHttp) {
                remote throws(Failure) in try await remote.pull()
            }
        }
        for type in pulled.ignored {
            ThisProcess.complain("note: a layer of \(type.quotedForDisplay()) was not fetched\n")
        }
        return pulled
    }
}
