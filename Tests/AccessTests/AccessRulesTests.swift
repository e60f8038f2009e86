import Access
import Foundation
import Model
import TestSupport
import Testing

/// Every operation, every role, every phase: the shipped rules, written down a second time.
@Suite struct AccessRulesTests {
    /// Foundation has one as well.
    typealias Operation = Access.Operation

    static let groups: [String: UInt32] = ["schedcp-admin": 990, "schedcp-agents": 991, "schedcp-verifiers": 992]

    static func resolve(_ subject: Subject) -> UInt32? {
        switch subject {
        case .user(let name): name == "root" ? 0 : nil
        case .group(let name): groups[name]
        }
    }

    static func shipped() throws -> [UInt8] {
        [UInt8](FileManager.default.contents(atPath: Checkout.root + "/policy/rules.conf") ?? Data())
    }

    static func rules() throws -> AccessRules {
        let report = AccessRules.read(try shipped(), resolve: resolve)
        #expect(report.errors.isEmpty && report.warnings.isEmpty, "\(report.errors) \(report.warnings)")
        return try #require(report.rules)
    }

    static let actors: [Role: Actor] = [
        .observer: Actor(uid: 1001, gid: 1001, pid: 1, groups: [27], user: "bob"),
        .agent: Actor(uid: 1002, gid: 1002, pid: 1, groups: [991], user: "carol"),
        .operator_: Actor(uid: 1003, gid: 990, pid: 1, groups: [], user: "alice"),
        .verifier: Actor(uid: 1004, gid: 1004, pid: 1, groups: [992], user: "dave"),
        .admin: Actor(uid: 0, gid: 0, pid: 1, groups: [], user: "root"),
    ]

    static let everyone: Set<Operation> = [
        .cancel, .status, .list, .show, .history, .events, .doctor, .whoami, .explain, .quarantine, .keys, .search,
        .entries, .entry, .entryExport, .antipatterns, .tuning, .view,
    ]
    static let agents: Set<Operation> = [
        .attest, .verify, .deploy, .entryImport, .outcome, .antipattern, .tune,
    ]
    static let serving: [Role: Set<Operation>] = [
        .observer: everyone,
        .agent: everyone.union(agents),
        .operator_: everyone.union(agents).union([.takeover, .rollback, .quarantineRelease, .audit]),
        .verifier: everyone.union([.attest, .verify]),
        .admin: Set(Operation.allCases).subtracting([.hello]),
    ]

    @Test func everyOperationOfEveryRoleInEveryPhase() throws {
        let rules = try Self.rules()
        var asked = 0
        for role in Role.allCases {
            let actor = try #require(Self.actors[role])
            let assignment = try #require(rules.assignment(of: actor))
            #expect(assignment.role == role)
            for operation in Operation.allCases {
                for phase in Phase.allCases {
                    let decision = rules.decide(assignment, operation, in: phase)
                    let isInPhase = (operation == .hello) == (phase == .greeting)
                    let expected = isInPhase && (operation == .hello || Self.serving[role]?.contains(operation) == true)
                    #expect(decision.isAllowed == expected, "\(role) \(operation) \(phase)")
                    #expect(decision.isOutOfPhase == !isInPhase)
                    if decision.isAllowed { #expect(decision.line > 0) }
                    let thrown = Result { () throws(Failure) in try rules.check(actor, operation, in: phase) }
                    switch thrown {
                    case .success: #expect(expected)
                    case .failure(let failure):
                        #expect(!expected && failure.code == (isInPhase ? .denied : .outOfPhase))
                        #expect(!failure.hint.isEmpty)
                    }
                    asked += 1
                }
            }
        }
        #expect(asked == Role.allCases.count * Operation.allCases.count * Phase.allCases.count)
    }

    @Test func aNameIsNoIdentityAndGroupZeroIsNotRoot() throws {
        let rules = try Self.rules()
        for actor in [
            Actor(uid: 1002, gid: 0, pid: 1, groups: [0], user: "root"),
            Actor(uid: 65534, gid: 65534, pid: 1, groups: [], user: "schedcp-admin"),
        ] { #expect(rules.assignment(of: actor)?.role == .observer) }
    }

    @Test func theFirstLineThatFitsDecides() throws {
        let text = try String(decoding: Self.shipped(), as: UTF8.self)
        let both = Actor(uid: 7, gid: 7, pid: 1, groups: [990, 991], user: "both")
        #expect(try Self.rules().assignment(of: both)?.role == .operator_)
        let swapped = text.replacingOccurrences(
            of: "bind group schedcp-admin to operator\nbind group schedcp-agents to agent",
            with: "bind group schedcp-agents to agent\nbind group schedcp-admin to operator")
        #expect(
            AccessRules.read(Array(swapped.utf8), resolve: Self.resolve).rules?.assignment(of: both)?.role == .agent)
    }

    @Test func nobodyIsBoundByNoLine() throws {
        let text = try String(decoding: Self.shipped(), as: UTF8.self)
            .replacingOccurrences(of: "bind everyone to observer\n", with: "")
        let rules = try #require(AccessRules.read(Array(text.utf8), resolve: Self.resolve).rules)
        let bob = try #require(Self.actors[.observer])
        #expect(rules.assignment(of: bob) == nil)
        for operation in Operation.allCases {
            for phase in Phase.allCases { #expect(!rules.decide(nil, operation, in: phase).isAllowed) }
            #expect(!rules.explain(bob, operation).isAllowed)
        }
        #expect(!rules.has(bob, .none))
    }

    @Test func explanationsAgreeWithDecisionsAndNameTheirLines() throws {
        let rules = try Self.rules()
        let lines = try String(decoding: Self.shipped(), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        for (role, actor) in Self.actors {
            for operation in Operation.allCases {
                let explanation = rules.explain(actor, operation)
                let phase: Phase = operation == .hello ? .greeting : .serving
                #expect(
                    explanation.isAllowed == rules.decide(rules.assignment(of: actor), operation, in: phase).isAllowed)
                #expect(explanation.sentence.hasPrefix(explanation.isAllowed ? "yes" : "no"), "\(role)")
                for line in explanation.lines {
                    let number = try #require(Int(line.dropFirst("rules.conf:".count).prefix { $0.isNumber }))
                    #expect(!lines[number - 1].isEmpty)
                }
                let first = try #require(
                    Int(explanation.lines[0].dropFirst("rules.conf:".count).prefix { $0.isNumber }))
                #expect(lines[first - 1].hasPrefix("operation \(operation.rawValue) "))
            }
        }
    }

    @Test func anOperationWithoutARowIsDeniedToEveryone() throws {
        for operation in Operation.allCases where operation != .hello {
            let text = try String(decoding: Self.shipped(), as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false
            )
            .filter { !$0.hasPrefix("operation \(operation.rawValue) ") }.joined(separator: "\n")
            let report = AccessRules.read(Array(text.utf8), resolve: Self.resolve)
            #expect(report.warnings.count == 1 && report.warnings[0].message.contains(operation.rawValue))
            let rules = try #require(report.rules)
            for actor in Self.actors.values {
                #expect(!rules.decide(rules.assignment(of: actor), operation, in: .serving).isAllowed)
            }
        }
    }

    @Test func theBuiltInRulesLetOnlyRootChangeAnything() {
        let rules = AccessRules.builtIn
        let bob = Actor(uid: 1, gid: 1, pid: 1, groups: [990], user: "bob")
        let root = Actor(uid: 0, gid: 0, pid: 1, groups: [], user: "root")
        for operation in Operation.allCases where operation != .hello {
            #expect(rules.decide(rules.assignment(of: root), operation, in: .serving).isAllowed)
            #expect(
                rules.decide(rules.assignment(of: bob), operation, in: .serving).isAllowed
                    == Self.everyone.contains(operation))
        }
    }
}
