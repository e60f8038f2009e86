import ArgumentParser
import Client
import Exchange
import Foundation
import Linux
import Model
import Wire

struct RepoExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write entries with their objects, sources, attestations and outcomes into a folder.",
        discussion: """
            The folder is an OCI image layout: other tools copy it to a registry or pack it as it is. Entries that are in it
            already stay. The same entry gives the same bytes.

            EXAMPLES:
              schedctl repo export ljf -o policies
              schedctl repo export ljf@1.0.0 vtime -o policies
              schedctl repo export --all -o policies && tar -cf policies.tar -C policies .
            """)
    @Argument(help: "Entries: name, or name@version.", completion: .custom(RepositoryCompletion.names)) var entries:
        [String] = []
    @Flag(help: "All of them, in their newest versions.") var all = false
    @Option(name: .shortAndLong, help: ArgumentHelp("The folder.", valueName: "dir"), completion: .directory)
    var output: String
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try options.reading { () throws(Failure) in
            guard entries.isEmpty == all else {
                throw Failure(.invalidArgument, "name the entries, or give --all, and not both")
            }
        }
        try await options.run { client throws(Failure) in
            let repository = RepoClient(client)
            var keys = entries
            if all {
                keys = try await repository.entries(WireEntryFilter(), limit: ExchangeLimits.manifests).entries
                    .map { "\($0.name)@\($0.version)" }
            }
            let layout = try LayoutFolder(writing: output)
            var written: [EntryArtifact] = []
            for key in keys {
                let artifact = try EntryArtifact(try await repository.export(key))
                try layout.add(artifact)
                written.append(artifact)
                if !options.json { print("\(artifact.entry.facts.key)  \(artifact.descriptor.digest)") }
            }
            if options.json { print(RepoJSON.exported(written, in: output)) }
        }
    }
}

struct RepoImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take entries from a folder into this machine's repository.",
        discussion: """
            What comes from elsewhere is a candidate until it is verified here, whatever it was there: attestations have to be
            signed by a key that this machine trusts, and like measurements of others they are shown, and promote nothing.
            A bundle with a forged attestation is refused. Everything is checked before anything is sent.

            EXAMPLES:
              schedctl repo import policies
              schedctl repo import policies ljf@1.0.0
              mkdir policies && tar -xf policies.tar -C policies && schedctl repo import policies
            """)
    @Argument(help: ArgumentHelp("An OCI image layout.", valueName: "dir"), completion: .directory) var folder: String
    @Argument(help: "Only these entries: name, or name@version.") var entries: [String] = []
    @OptionGroup var options: CommonOptions

    func run() async throws {
        var read: [TravellingEntry] = []
        try await options.runAlone { () throws(Failure) in
            let layout = try LayoutFolder(reading: folder)
            for one in try LayoutEntry.select(entries, of: layout.entries()) { read.append(try layout.read(one)) }
        }
        let place = URL(filePath: folder).standardizedFileURL.lastPathComponent
        try await options.run { [read] client throws(Failure) in
            try await RepoImporting(client, options).take(read, from: "the folder \(place)")
        }
    }
}

/// Sends entries to the daemon, one after the other.
struct RepoImporting {
    private let client: SchedClient
    private let options: CommonOptions

    init(_ client: SchedClient, _ options: CommonOptions) {
        self.client = client
        self.options = options
    }

    /// Stops at the first that is refused, and says which are in.
    func take(_ entries: [TravellingEntry], from source: String) async throws(Failure) {
        let repository = RepoClient(client)
        var taken: [String] = []
        for entry in entries {
            let reply: WireChangeReply
            do { reply = try await repository.take(entry, from: source) } catch {
                var failure = error
                failure.message = "\(entry.facts.key) was not taken in: \(failure.message)"
                if !taken.isEmpty {
                    failure.hint += (failure.hint.isEmpty ? "" : "; ") + "in are \(taken.joined(separator: ", "))"
                }
                throw failure
            }
            taken.append("\(entry.facts.key)")
            options.json ? options.printJSON(reply) : print(RepoText.taken(reply, entry))
        }
    }
}

/// What no message of the wire says.
enum RepoJSON {
    static func exported(_ artifacts: [EntryArtifact], in folder: String) -> String {
        text([
            "folder": folder,
            "entries": artifacts.map { ["key": "\($0.entry.facts.key)", "digest": "\($0.descriptor.digest)"] },
        ])
    }

    static func text(_ value: [String: Any]) -> String {
        let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}
