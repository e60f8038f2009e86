import Access
import ArgumentParser
import Client
import Foundation
import Linux
import Model
import Wire

struct Rules: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The access rules: who may do what, and how much of it.",
        discussion: """
            EXAMPLES:
              schedctl rules check
              sudo schedctl rules reload
              schedctl rules explain alice deploy
            """,
        subcommands: [RulesCheck.self, RulesReload.self, RulesExplain.self])

    static func read(_ path: String) throws(Failure) -> RulesReport {
        let bytes = try SmallFile.read(path, limit: 16 << 20, what: "rules")
        return AccessRules.read(bytes) { subject in
            switch subject {
            case .user(let name): Accounts.user(named: name)?.uid
            case .group(let name): Accounts.group(named: name)
            }
        }
    }
}

struct RulesCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look for mistakes in a file of rules. No daemon is asked.",
        discussion: """
            Each is named as FILE:LINE:COLUMN. Exits 0 where there is none (warnings may be), 1 where there is one.

            EXAMPLES:
              schedctl rules check
              schedctl rules check ./rules.conf --json
            """)
    @Argument(help: "The file.", completion: .file()) var file = "/etc/schedcp/rules.conf"
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let report: RulesReport
        do { report = try Rules.read(file) } catch {
            Terminal.complain(error)
            throw ExitCode(1)
        }
        if json {
            let problems = (report.errors + report.warnings).map { problem in
                [
                    "line": problem.line, "column": problem.column, "severity": problem.isWarning ? "warning" : "error",
                    "message": problem.message, "hint": problem.hint,
                ] as [String: Any]
            }
            let data = try JSONSerialization.data(withJSONObject: ["problems": problems], options: [.sortedKeys])
            print(String(decoding: data, as: UTF8.self))
        } else {
            for problem in report.errors + report.warnings {
                ThisProcess.complain(Terminal.safe(problem.description) + "\n")
            }
            if report.errors.isEmpty { print("\(file): no mistake, \(report.warnings.count) warnings") }
        }
        if !report.errors.isEmpty { throw ExitCode(1) }
    }
}

struct RulesReload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Put /etc/schedcp/rules.conf in force, or leave the rules before it where it has a mistake.",
        discussion: """
            EXAMPLE:
              sudo schedctl rules reload
            """)
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            let result = try await client.call(.rulesReload(WireRulesReloadRequest()))
            guard case .rules(let reply) = result else { throw SchedClient.unexpected(result) }
            if options.json { return options.printJSON(reply) }
            for warning in reply.warnings { ThisProcess.complain(Terminal.safe(warning) + "\n") }
            print("in force: \(reply.rulesSha256.prefix(16))…")
        }
    }
}

struct RulesExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "May this user do that? Yes or no, and by which line.",
        discussion: """
            Asks schedcpd about the rules in force; with --file, a file. Exits 0 for yes and 1 for no.

            EXAMPLES:
              schedctl rules explain alice deploy
              schedctl rules explain alice rollback --file ./rules.conf
            """)
    @Argument(help: "A user's name or number.") var user: String
    @Argument(
        help: "An operation of the rules, as deploy or key-rotate.",
        completion: .list(Operation.allCases.map(\.rawValue)))
    var operation: String
    @Option(help: "Ask this file instead of the daemon.", completion: .file()) var file: String?
    @OptionGroup var options: CommonOptions

    func run() async throws {
        var isAllowed = false
        if let file {
            do throws(Failure) {
                let explanation = try explain(by: file)
                isAllowed = explanation.isAllowed
                var reply = WireExplanation()
                (reply.allowed, reply.because, reply.lines) = (
                    explanation.isAllowed, explanation.sentence, explanation.lines
                )
                show(reply)
            } catch {
                options.report(error)
                throw ExitCode(64)
            }
        } else {
            try await options.run { client throws(Failure) in
                let actor = try self.actor()
                var request = WireExplainRequest()
                (request.user, request.uid, request.gids, request.operation) = (
                    actor.user, actor.uid, actor.groups.sorted(), operation
                )
                let result = try await client.call(.explain(request))
                guard case .explanation(let reply) = result else { throw SchedClient.unexpected(result) }
                isAllowed = reply.allowed
                show(reply)
            }
        }
        if !isAllowed { throw ExitCode(1) }
    }

    private func show(_ reply: WireExplanation) {
        if options.json { return options.printJSON(reply) }
        print(Terminal.safe(reply.because))
        for line in reply.lines { print("  \(Terminal.safe(line))") }
    }

    private func actor() throws(Failure) -> Actor {
        let byNumber = UInt32(user).map { uid in
            Accounts.name(ofUser: uid).flatMap(Accounts.user(named:)) ?? Accounts.User(uid: uid, gid: uid, name: user)
        }
        guard let account = Accounts.user(named: user) ?? byNumber else {
            throw Failure(.notFound, "there is no user \(user.quotedForDisplay())", hint: "see `getent passwd`")
        }
        let groups = Accounts.groups(of: account)
        return Actor(uid: account.uid, gid: account.gid, pid: 0, groups: Set(groups), user: account.name)
    }

    private func explain(by file: String) throws(Failure) -> Access.Explanation {
        let report = try Rules.read(file)
        guard let rules = report.rules else {
            throw Failure(
                .invalidArgument, "\(file) has mistakes", hint: "see `schedctl rules check \(file)`",
                detail: report.errors.map(\.description).joined(separator: "\n"))
        }
        guard let wanted = Operation(rawValue: operation) else {
            throw Failure(
                .invalidArgument, "there is no operation \(operation.quotedForDisplay())",
                hint: "there are: " + Operation.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return rules.explain(try actor(), wanted)
    }
}
