import ArgumentParser
import Client
import Foundation
import Model
import Wire

struct Quarantine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Artifacts that the kernel threw out, which nobody deploys until they are released.",
        discussion: """
            EXAMPLES:
              schedctl quarantine list
              schedctl quarantine release 5be1c0ffee…
            """,
        subcommands: [QuarantineList.self, QuarantineRelease.self])
}

struct QuarantineList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "What is in quarantine, and why.",
        discussion: """
            EXAMPLE:
              schedctl quarantine list
            """)
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            let result = try await client.call(.quarantine(WireQuarantineRequest()))
            guard case .quarantine(let list) = result else { throw SchedClient.unexpected(result) }
            if options.json { return options.printJSON(list) }
            if list.artifacts.isEmpty { return print("nothing is in quarantine") }
            let rows = list.artifacts.map {
                [$0.artifactSha256, "\($0.deployment)", Terminal.time($0.at), Terminal.oneLine($0.reason)]
            }
            print(Terminal.table([["ARTIFACT", "DEPLOYMENT", "SINCE", "WHY"]] + rows))
        }
    }
}

struct QuarantineRelease: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Let an artifact be deployed again.",
        discussion: """
            EXAMPLE:
              schedctl quarantine release 5be1c0ffee…
            """)
    @Argument(help: "Its SHA-256, or the beginning of it.") var artifact: String
    @OptionGroup var options: CommonOptions

    func run() async throws {
        var request = WireReleaseRequest()
        request.artifactSha256 = artifact
        try await options.run { [request] client throws(Failure) in
            let result = try await client.call(.quarantineRelease(request))
            guard case .quarantine(let list) = result else { throw SchedClient.unexpected(result) }
            if options.json { return options.printJSON(list) }
            print("released \(list.artifacts.map(\.artifactSha256).joined(separator: ", "))")
        }
    }
}

struct Whoami: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Who you are to schedcpd, and what its rules let you do.",
        discussion: """
            EXAMPLE:
              schedctl whoami
            """)
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            let result = try await client.call(.whoami(WireWhoamiRequest()))
            guard case .whoami(let me) = result else { throw SchedClient.unexpected(result) }
            options.json ? options.printJSON(me) : print(Text.whoami(me))
        }
    }
}

extension Text {
    static func whoami(_ me: WireWhoamiReply) -> String {
        var rows = [
            ["user", "\(Terminal.safe(me.you.user)) (uid \(me.you.uid), gid \(me.you.gid), pid \(me.you.pid))"],
            ["role", "\(Terminal.safe(me.you.role)), by \(Terminal.safe(me.rule))"],
            ["may", me.operations.map(Terminal.safe).joined(separator: " ")],
        ]
        rows += me.limits.map { [Terminal.oneLine($0.name), Terminal.oneLine($0.value)] }
        rows.append([
            "used in the last hour", String(format: "%.3f CPU seconds, cost %.4f", me.cpuSecondsUsed, me.costUsed),
        ])
        rows.append(["rules", String(Terminal.safe(me.rulesSha256).prefix(16)) + "…"])
        return Terminal.table(rows)
    }
}
