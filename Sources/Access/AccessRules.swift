package import Model

/// A verifier on another machine whose attestations are good here.
package struct TrustedVerifier: Hashable, Sendable {
    package let name: String
    /// 32 bytes, Ed25519.
    package let publicKey: [UInt8]
    /// Statements issued after this are refused, in seconds since the epoch.
    package let until: Int64?
    package let line: Int
}

/// The role that somebody has, and the line that gives it.
package struct Assignment: Hashable, Sendable {
    package let role: Role
    package let line: Int
}

/// The answer to a question, and the line that decides it.
package struct Decision: Hashable, Sendable {
    package let isAllowed: Bool
    package let isOutOfPhase: Bool
    /// The line that grants it, or the operation's row where nothing does; 0 where there is not even that.
    package let line: Int
}

/// The rules as a file gives them. Reading them again makes new ones; nothing changes in these.
package struct AccessRules: Hashable, Sendable {
    package static let fileName = "rules.conf"
    package static let maxBytes = 256 * 1024
    package static let maxLines = 4096
    package static let maxLineBytes = 1024

    struct Row: Hashable, Sendable {
        let right: Right
        let phase: Phase
        let line: Int
    }

    struct Bind: Hashable, Sendable {
        enum Who: Hashable, Sendable {
            case user(UInt32)
            case group(UInt32)
            case everyone
        }

        let who: Who
        let role: Role
        let line: Int
    }

    struct RoleRules: Hashable, Sendable {
        let grants: [Right: Int]
        let limits: RoleLimits
    }

    let rows: [Operation: Row]
    let binds: [Bind]
    let roles: [Role: RoleRules]
    package let trusted: [TrustedVerifier]
    /// The stages that an attestation has to have passed; `origin|compile` where one of two is enough.
    package let requiredStages: [String]
    package let attestationLifetimeSeconds: Int64
    package let unverifiedAllowed: Bool
    /// In millionths of a unit of money.
    package let costPerCPUSecond: Int64
    /// In the order in which they are asked.
    package let verifiers: [VerifierPlace]
    package let checks: [CheckRule]
    /// Answers by role and operation, for requests that come often.
    private let table: [Decision]

    init(_ parser: RulesParser) {
        rows = parser.rows
        binds = parser.binds
        roles = parser.roles.mapValues { RoleRules(grants: $0.grants, limits: $0.limits) }
        trusted = parser.trusted
        requiredStages = parser.requiredStages
        attestationLifetimeSeconds = parser.lifetime
        unverifiedAllowed = parser.unverifiedAllowed
        costPerCPUSecond = parser.costPerCPUSecond
        verifiers = parser.verifiers
        checks = parser.checks
        let (rows, roles, isForbidden) = (rows, roles, !parser.unverifiedAllowed)
        table = Role.allCases.flatMap { role in
            Operation.allCases.map { operation in
                guard let row = rows[operation] else { return Decision(isAllowed: false, isOutOfPhase: false, line: 0) }
                // Nobody's right counts against the statement that forbids it to all.
                if operation == .deployUnverified, isForbidden {
                    return Decision(isAllowed: false, isOutOfPhase: false, line: parser.unverifiedLine)
                }
                if row.right == .none { return Decision(isAllowed: true, isOutOfPhase: false, line: row.line) }
                let grant = roles[role]?.grants[row.right]
                return Decision(isAllowed: grant != nil, isOutOfPhase: false, line: grant ?? row.line)
            }
        }
    }

    /// Reads a file. It never throws and never traps, whatever the bytes are.
    /// - Parameter resolve: the number behind a name, nil where it does not exist.
    package static func read(_ bytes: [UInt8], resolve: @escaping (Subject) -> UInt32?) -> RulesReport {
        var parser = RulesParser(resolve: resolve)
        parser.read(bytes)
        return RulesReport(
            rules: parser.errors.isEmpty ? AccessRules(parser) : nil, errors: parser.errors, warnings: parser.warnings)
    }

    // MARK: Questions

    /// The first line that fits decides.
    package func assignment(of actor: Actor) -> Assignment? {
        for bind in binds {
            let fits =
                switch bind.who {
                case .user(let uid): actor.uid == uid
                case .group(let gid): actor.groups.contains(gid)
                case .everyone: true
                }
            if fits { return Assignment(role: bind.role, line: bind.line) }
        }
        return nil
    }

    package func decide(_ assignment: Assignment?, _ operation: Operation, in phase: Phase) -> Decision {
        guard let assignment else { return Decision(isAllowed: false, isOutOfPhase: false, line: 0) }
        guard (operation == .hello) == (phase == .greeting) else {
            return Decision(isAllowed: false, isOutOfPhase: true, line: rows[operation]?.line ?? 0)
        }
        return table[assignment.role.index * Operation.allCases.count + operation.index]
    }

    package func has(_ actor: Actor, _ right: Right) -> Bool {
        guard let assignment = assignment(of: actor) else { return false }
        return right == .none || roles[assignment.role]?.grants[right] != nil
    }

    package func limits(of assignment: Assignment?) -> RoleLimits {
        assignment.flatMap { roles[$0.role]?.limits } ?? RoleLimits()
    }

    /// Throws why not, unless it is permitted.
    package func check(_ actor: Actor, _ operation: Operation, in phase: Phase) throws(Failure) {
        let decision = decide(assignment(of: actor), operation, in: phase)
        if !decision.isAllowed { throw failure(actor, operation, in: phase, decision) }
    }
}

extension Role {
    var index: Int {
        switch self {
        case .observer: 0
        case .agent: 1
        case .operator_: 2
        case .verifier: 3
        case .admin: 4
        }
    }
}
