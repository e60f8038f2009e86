import ArgumentParser
import Attestation
import Audit
import Client
import Foundation
import Model
import Wire

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Who did what, in a file whose changes show.",
        discussion: """
            EXAMPLES:
              schedctl audit tail
              schedctl audit show 1201
              sudo schedctl audit verify
            """,
        subcommands: [AuditTail.self, AuditShow.self, AuditVerify.self])

    static func lines(_ request: WireAuditRequest, _ client: SchedClient) async throws(Failure) -> WireAuditLines {
        let result = try await client.call(.audit(request))
        guard case .audit(let lines) = result else { throw SchedClient.unexpected(result) }
        return lines
    }
}

struct AuditTail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "The newest records, oldest first.",
        discussion: """
            Strings that somebody else chose (names, reasons, messages) are shown in quotes: they are data, whatever they say.

            EXAMPLES:
              schedctl audit tail --lines 100
              schedctl audit tail --follow
              schedctl audit tail --json | jq -c 'select(.decision == "denied")'
            """)
    @Option(name: [.customShort("n"), .long], help: "How many.") var lines: UInt32 = 20
    @Flag(name: .shortAndLong, help: "Wait for more, until interrupted.") var follow = false
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            var request = WireAuditRequest()
            request.tail = true
            request.limit = lines
            var last: UInt64 = 0
            repeat {
                for line in try await AuditCommand.lines(request, client).lines {
                    guard let record = AuditRecord(line: line) else { continue }
                    last = record.seq
                    print(options.json ? line : Text.audit(record))
                }
                request.tail = false
                request.after = last
                request.limit = 0
                if follow {
                    fflush(nil)
                    try? await Task.sleep(for: .seconds(1))
                }
            } while follow && !Task.isCancelled
        }
    }
}

struct AuditShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "One record, whole.",
        discussion: """
            EXAMPLE:
              schedctl audit show 1201
            """)
    @Argument(help: "The record's number.") var number: UInt64
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            var request = WireAuditRequest()
            request.after = number &- 1
            request.limit = 1
            let lines = try await AuditCommand.lines(request, client).lines
            guard number > 0, let line = lines.first, let record = AuditRecord(line: line), record.seq == number else {
                throw Failure(.notFound, "there is no record \(number) in the audit", hint: "see `schedctl audit tail`")
            }
            print(options.json ? line : Text.wholeAudit(record))
        }
    }
}

struct AuditVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that no record was changed, dropped, put in or moved.",
        discussion: """
            Reads the files themselves. Signatures of checkpoints are checked with the keys given, or else with those that lie
            beside the log (keys/) and those that schedcpd names, where it can be reached. That the end was cut off shows only against a record kept elsewhere
            (`audit verify` prints the last one): --expect NUMBER:HASH. Exits 0 where the log is intact, 1 where not.

            EXAMPLES:
              sudo schedctl audit verify
              sudo schedctl audit verify --expect 1201:5be1c0ffee…
              schedctl audit verify /backup/schedcp-audit --key build-machine.pem
            """)
    @Argument(help: "The folder of the audit, or its files, the oldest first.", completion: .file())
    var paths: [String] = ["/var/log/schedcp"]
    @Option(help: "A public key; may be repeated.", completion: .file()) var key: [String] = []
    @Option(help: ArgumentHelp("A record that has to be in it.", valueName: "number:hash")) var expect: String?
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let report: AuditReport
        do throws(Failure) {
            let keys = try await publicKeys()
            let head = try expected()
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: paths[0], isDirectory: &isFolder)
            report =
                paths.count == 1 && isFolder.boolValue
                ? try AuditVerifier.verify(folder: paths[0], keys: keys, expecting: head)
                : try AuditVerifier.verify(files: paths, keys: keys, expecting: head)
        } catch {
            options.report(error)
            throw ExitCode(error.exitStatus)
        }
        if options.json { print(Self.json(report)) } else { Self.say(report) }
        if !report.isIntact { throw ExitCode(1) }
    }

    private func publicKeys() async throws(Failure) -> [String: [UInt8]] {
        var keys: [String: [UInt8]] = [:]
        for path in key {
            let read = try VerifierKey(name: path, text: try Offline.text(path))
            keys[read.keyID] = read.publicKey
        }
        // Those that lie beside the log: who can rewrite one can write the other, and keys kept elsewhere are better.
        let beside = paths[0] + "/keys"
        for name in key.isEmpty ? (try? FileManager.default.contentsOfDirectory(atPath: beside)) ?? [] : [] {
            guard name.hasSuffix(".pem"), let text = try? Offline.text(beside + "/" + name),
                let read = try? VerifierKey(name: name, text: text)
            else { continue }
            keys[read.keyID] = read.publicKey
        }
        guard key.isEmpty, let client = try? await SchedClient.connect(path: options.socket, name: "schedctl") else {
            return keys
        }
        for known in (try? await Key.all(client))?.keys ?? [] where !known.publicKey.isEmpty {
            keys[known.keyID] = [UInt8](known.publicKey)
        }
        await client.close()
        return keys
    }

    private func expected() throws(Failure) -> AuditReceipt? {
        guard let expect else { return nil }
        let parts = expect.split(separator: ":")
        guard parts.count == 2, let number = UInt64(parts[0]), let hash = AuditHash(hex: parts[1]) else {
            throw Failure(.invalidArgument, "--expect \(expect.quotedForDisplay()) is not of the form NUMBER:HASH")
        }
        return AuditReceipt(seq: number, hash: hash)
    }

    private static func say(_ report: AuditReport) {
        if let problem = report.problem {
            Terminal.complain(
                Failure(
                    .storage, "the audit is not intact: \(problem)",
                    hint: "\(report.records) records before it are whole; compare with a copy kept elsewhere"))
            return
        }
        let range = report.first.map { " (\($0) to \(report.head?.seq ?? $0))" } ?? ""
        print("\(Terminal.styled("intact", .green)): \(report.records) records\(range) in \(report.files.count) files")
        print(
            "signed checkpoints: \(report.checkpoints) good, \(report.unknownKeys.values.reduce(0, +)) by unknown keys")
        if let head = report.head { print("last record: \(head.seq):\(head.hash)") }
    }

    private static func json(_ report: AuditReport) -> String {
        var fields: [String: Any] = [
            "intact": report.isIntact, "records": report.records, "files": report.files,
            "checkpoints": report.checkpoints,
            "unknown_key_checkpoints": report.unknownKeys.values.reduce(0, +),
        ]
        if let head = report.head { (fields["head"], fields["head_hash"]) = (head.seq, head.hash.description) }
        if let problem = report.problem {
            (fields["problem"], fields["file"], fields["line"]) = (problem.description, problem.file, problem.line)
        }
        let data = try? JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}

extension Text {
    static func audit(_ record: AuditRecord) -> String {
        let entry = record.entry
        var words = ["\(record.seq)", record.timeText, entry.kind.rawValue, entry.operation]
        if let decision = entry.decision {
            words.append(decision == .denied ? Terminal.styled("denied", .red) : "allowed")
        }
        if !entry.rule.isEmpty { words.append("by \(entry.rule)") }
        if let actor = entry.actor { words.append("uid \(actor.uid) \(quoted(actor.user))") }
        if let count = entry.count { words.append("\(count) times") }
        if !entry.subject.isEmpty { words.append(quoted(entry.subject)) }
        if let outcome = entry.outcome {
            words.append("→ \(outcome.code) \(outcome.message.isEmpty ? "" : quoted(outcome.message))")
        }
        return words.joined(separator: "  ")
    }

    static func wholeAudit(_ record: AuditRecord) -> String {
        let entry = record.entry
        var rows = [
            ["record", "\(record.seq)"], ["time", record.timeText], ["kind", entry.kind.rawValue],
            ["operation", entry.operation], ["decision", entry.decision?.rawValue ?? ""], ["rule", entry.rule],
            ["outcome", entry.outcome?.code ?? ""], ["of record", entry.ref.map(String.init) ?? ""],
        ]
        if let actor = entry.actor {
            rows += [["uid, gid, pid", "\(actor.uid), \(actor.gid), \(actor.pid)"], ["user", quoted(actor.user)]]
            rows += [["comm", quoted(actor.comm)], ["cgroup", quoted(actor.cgroup)]]
        }
        rows += [["subject", quoted(entry.subject)], ["message", quoted(entry.outcome?.message ?? "")]]
        rows += entry.detail.sorted { $0.key < $1.key }.map { ["  \($0.key)", quoted($0.value)] }
        rows += [["hash", "\(record.hash)"], ["of the one before", "\(record.prev)"]]
        return Terminal.table(rows.filter { !$0[1].isEmpty && $0[1] != "\"\"" })
    }

    /// What somebody else chose.
    private static func quoted(_ text: String) -> String { "\"\(Terminal.oneLine(text))\"" }
}
