import Access
import Model
import TestSupport
import Testing

/// Who verifies, how checks are taken, and how much verification a role needs.
@Suite struct VerificationRulesTests {
    static let good = RulesParserTests.good
    static let key = String(repeating: "A", count: 43) + "="

    static func read(_ text: String) -> RulesReport { AccessRules.read(Array(text.utf8)) { _ in nil } }

    @Test func theShippedRulesAskTheLocalVerifierAndMoreOfAgents() throws {
        let rules = try AccessRulesTests.rules()
        #expect(rules.verifiers.map(\.path) == ["/run/schedcp/verify.sock"])
        #expect(rules.verifiers.first?.kind == .socket && rules.verifiers.first?.publicKey == nil)
        #expect(rules.requiredStages == ["origin|compile", "static", "kernel", "dynamic"])
        for (role, actor) in AccessRulesTests.actors {
            let limits = rules.limits(of: rules.assignment(of: actor))
            #expect(limits.effort == ([.operator_, .admin].contains(role) ? .quick : .full), "\(role)")
        }
        #expect(AccessRules.builtIn.verifiers.count == 1 && AccessRules.builtIn.requiredStages.count == 4)
    }

    @Test func linesAreTakenInTheirOrder() throws {
        let report = Self.read(
            Self.good + "verifier a socket /run/a\nverifier b stream /dev/b key ed25519 \(Self.key)\n"
                + "verifier c socket /c key ed25519 \(Self.key)\ncheck lost-task warning\ncheck slice off\n")
        let rules = try #require(report.rules, "\(report.errors)")
        #expect(rules.verifiers.map(\.name) == ["a", "b", "c"])
        #expect(rules.verifiers.map(\.kind) == [.socket, .stream, .socket])
        #expect(rules.verifiers.map { $0.publicKey?.count } == [nil, 32, 32])
        #expect(rules.verifiers.map(\.line) == [6, 7, 8])
        #expect(rules.checks.map(\.name) == ["lost-task", "slice"] && rules.checks.map(\.level) == [.warning, .off])
    }

    static let mistakes: [(String, Int, Int, String)] = [
        ("verifier a\n", 6, 10, "missing"), ("verifier a pigeon /x\n", 6, 12, "not possible"),
        ("verifier a socket x\n", 6, 19, "not a path"), ("verifier a socket /x/../y\n", 6, 19, "not a path"),
        ("verifier a socket /\(String(repeating: "x", count: 120))\n", 6, 19, "not a path"),
        ("verifier a stream /x\n", 6, 19, "needs its key"),
        ("verifier a stream /x key ed25519 AAAA\n", 6, 34, "not an Ed25519"),
        ("verifier a stream /x key rsa \(key)\n", 6, 26, "not possible"),
        ("verifier a socket /x\nverifier a socket /y\n", 7, 10, "already"),
        ("check Lost off\n", 6, 7, "not a check"), ("check lost-task maybe\n", 6, 17, "not possible"),
        ("check lost-task\n", 6, 7, "missing"), ("check slice off\ncheck slice error\n", 7, 7, "already"),
        ("check lost-tasks off\n", 6, 7, "no check"),
        ("attestation requires a||b\n", 6, 22, "not a stage"), ("attestation requires |\n", 6, 22, "not a stage"),
    ]

    @Test(arguments: mistakes) func mistakesAreNamed(_ text: String, line: Int, column: Int, says: String) {
        let report = Self.read(Self.good + text)
        #expect(report.rules == nil)
        let found = report.errors.contains { $0.line == line && $0.column == column && $0.message.contains(says) }
        #expect(found, "\(report.errors)")
    }

    @Test func anUnknownCheckIsNamedWithTheNearest() {
        let near = ["lost-tasks": "lost-task", "strict-prio": "strict-priority", "slices": "slice", "hung-up": "hung"]
        for (wrong, right) in near {
            let report = Self.read(Self.good + "check \(wrong) off\n")
            #expect(report.rules == nil)
            #expect(report.errors.map(\.hint) == ["did you mean '\(right)'?"], "\(report.errors)")
        }
        // What is near to none is answered with all.
        let far = Self.read(Self.good + "check everything-at-once off\n").errors.first
        #expect(far?.hint.hasPrefix("known: compile, ") == true && far?.hint.contains("lost-task") == true)
        for check in CheckCatalogue.all {
            #expect(Self.read(Self.good + "check \(check.name) warning\n").rules != nil, "\(check.name)")
        }
    }

    @Test func anEffortIsQuickOrFull() throws {
        #expect(Self.read(RulesParserTests.head + "  effort some\nbind everyone to observer\n").rules == nil)
        let rules = try #require(
            Self.read(RulesParserTests.head + "  effort quick\nbind everyone to observer\n").rules)
        let bob = Actor(uid: 1, gid: 1, pid: 1, groups: [], user: "bob")
        #expect(rules.limits(of: rules.assignment(of: bob)).effort == .quick)
        // What nobody says is the stricter one.
        #expect(RoleLimits().effort == .full)
    }

    @Test func withoutAVerifierThereIsAWarning() {
        #expect(Self.read(Self.good).warnings.contains { $0.message.contains("no line names a verifier") })
    }
}
