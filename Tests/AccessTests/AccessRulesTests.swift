import Access
import Model
import Testing

/// Who may do what, when: the whole table, written down a second time.
@Suite struct AccessRulesTests {
    static let adminGroup: UInt32 = 990

    enum Who: String, CaseIterable, Sendable {
        case root, rootWithoutGroups, primaryAdmin, supplementaryAdmin, ordinary, nobody, groupZero

        var actor: Actor {
            switch self {
            case .root: Actor(uid: 0, gid: 0, pid: 1, groups: [0], user: "root")
            case .rootWithoutGroups: Actor(uid: 0, gid: 65534, pid: 1, groups: [], user: "root")
            case .primaryAdmin: Actor(uid: 1000, gid: adminGroup, pid: 1, groups: [], user: "alice")
            case .supplementaryAdmin: Actor(uid: 1000, gid: 1000, pid: 1, groups: [27, adminGroup], user: "alice")
            case .ordinary: Actor(uid: 1001, gid: 1001, pid: 1, groups: [27, 100], user: "bob")
            case .nobody: Actor(uid: 65534, gid: 65534, pid: 1, groups: [], user: "nobody")
            // A name and a group of root's, and not root.
            case .groupZero: Actor(uid: 1002, gid: 0, pid: 1, groups: [0], user: "root")
            }
        }
    }

    enum Answer: Sendable { case yes, denied, outOfPhase }

    /// While serving, with an administrators' group.
    static let serving: [Operation: [Who: Answer]] = {
        let look = Dictionary(uniqueKeysWithValues: Who.allCases.map { ($0, Answer.yes) })
        let change: [Who: Answer] = [
            .root: .yes, .rootWithoutGroups: .yes, .primaryAdmin: .yes, .supplementaryAdmin: .yes, .ordinary: .denied,
            .nobody: .denied, .groupZero: .denied,
        ]
        let root: [Who: Answer] = [
            .root: .yes, .rootWithoutGroups: .yes, .primaryAdmin: .denied, .supplementaryAdmin: .denied,
            .ordinary: .denied,
            .nobody: .denied, .groupZero: .denied,
        ]
        let never = Dictionary(uniqueKeysWithValues: Who.allCases.map { ($0, Answer.outOfPhase) })
        return [
            .hello: never, .cancel: look, .status: look, .list: look, .show: look, .history: look, .events: look,
            .doctor: look, .deploy: change, .rollback: change, .deployObject: root,
        ]
    }()

    private static func answer(_ rules: AccessRules, _ actor: Actor, _ operation: Operation, _ phase: Phase) -> Answer?
    {
        do throws(Failure) {
            try rules.check(actor, operation, in: phase)
            return .yes
        } catch {
            switch error.code {
            case .denied: return .denied
            case .outOfPhase: return .outOfPhase
            default: return nil
            }
        }
    }

    @Test(arguments: Operation.allCases, Who.allCases) func whileServing(_ operation: Operation, _ who: Who) {
        let rules = AccessRules(adminGroup: Self.adminGroup)
        #expect(Self.answer(rules, who.actor, operation, .serving) == Self.serving[operation]?[who])
    }

    @Test(arguments: Operation.allCases, Who.allCases) func beforeHello(_ operation: Operation, _ who: Who) {
        let rules = AccessRules(adminGroup: Self.adminGroup)
        let expected: Answer = operation == .hello ? .yes : .outOfPhase
        #expect(Self.answer(rules, who.actor, operation, .greeting) == expected)
    }

    /// On a machine without the group only root may change anything.
    @Test(arguments: Operation.allCases, Who.allCases) func withoutTheGroup(_ operation: Operation, _ who: Who) {
        let rules = AccessRules(adminGroup: nil)
        var expected = Self.serving[operation]?[who]
        if expected == .yes, [.deploy, .rollback].contains(operation), !who.actor.isRoot { expected = .denied }
        #expect(Self.answer(rules, who.actor, operation, .serving) == expected)
        #expect(Self.answer(rules, who.actor, operation, .greeting) == (operation == .hello ? .yes : .outOfPhase))
    }

    /// A group numbered 0 makes nobody an administrator by accident but its members.
    @Test func theGroupIsTheOneGiven() {
        let rules = AccessRules(adminGroup: 1)
        for who in Who.allCases { #expect(rules.has(who.actor, .change) == who.actor.isRoot) }
    }

    @Test(arguments: [Operation.deploy, .deployObject, .rollback]) func aRefusalSaysWhoMay(_ operation: Operation) {
        let actor = Actor(uid: 1001, gid: 1, pid: 1, groups: [], user: "evil\u{1B}[31m\nname")
        let failure = #expect(throws: Failure.self) {
            try AccessRules(adminGroup: 990).check(actor, operation, in: .serving)
        }
        #expect(failure?.message.contains("uid 1001") == true)
        #expect(failure?.message.contains(operation.rawValue) == true)
        #expect(failure?.message.unicodeScalars.allSatisfy { $0.value >= 32 } == true)
        #expect(failure?.hint.contains("root") == true)
        if operation != .deployObject { #expect(failure?.hint.contains(AccessRules.adminGroupName) == true) }
    }

    @Test func theGroupsNameIsThatOfTheInstaller() { #expect(AccessRules.adminGroupName == "schedcp-admin") }
}
