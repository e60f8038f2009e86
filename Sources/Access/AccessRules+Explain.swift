package import Model

/// Why, in words, with the lines.
package struct Explanation: Hashable, Sendable {
    package let isAllowed: Bool
    package let sentence: String
    /// As "rules.conf:41: bind group schedcp-admin to operator" without the text.
    package let lines: [String]
}

extension AccessRules {
    /// "rules.conf:41", or that no line says so.
    package func place(of decision: Decision) -> String { Self.place(decision.line) }

    package func place(of assignment: Assignment?) -> String { Self.place(assignment?.line ?? 0) }

    private static func place(_ line: Int) -> String { line == 0 ? "default deny" : "\(fileName):\(line)" }

    /// What a client is told whose request was refused.
    package func failure(_ actor: Actor, _ operation: Operation, in phase: Phase, _ decision: Decision) -> Failure {
        if decision.isOutOfPhase {
            return Failure(
                .outOfPhase,
                phase == .greeting ? "'\(operation.rawValue)' came before hello" : "hello came twice",
                hint: "a connection begins with one hello; see PROTOCOL.md")
        }
        let who = "user \(actor.user.escapedForDisplay(limit: 64)) (uid \(actor.uid))"
        if operation == .deployUnverified && !unverifiedAllowed {
            return Failure(
                .denied,
                "\(who) may not deploy without an attestation: the rules forbid it to everyone (\(place(of: decision)))",
                hint: "have it verified: schedctl attest issue")
        }
        let right = rows[operation]?.right.rawValue ?? "a row in the rules"
        return Failure(
            .denied,
            "\(who) may not \(operation.rawValue): it needs \(right), and the role \(role(of: actor)) lacks it",
            hint: "see `schedctl rules explain \(actor.user.escapedForDisplay(limit: 64)) \(operation.rawValue)`; "
                + "membership in a group counts from the next login")
    }

    private func role(of actor: Actor) -> String { assignment(of: actor)?.role.rawValue ?? "(none)" }

    package func explain(_ actor: Actor, _ operation: Operation) -> Explanation {
        let who = actor.user.escapedForDisplay(limit: 64)
        guard let row = rows[operation] else {
            return Explanation(
                isAllowed: false, sentence: "no: the rules have no row for \(operation.rawValue), so nobody may",
                lines: [])
        }
        let rowLine =
            "\(Self.place(row.line)): \(operation.rawValue) needs \(row.right.rawValue), in \(row.phase.rawValue)"
        guard let assignment = assignment(of: actor) else {
            return Explanation(isAllowed: false, sentence: "no: no line gives \(who) a role", lines: [rowLine])
        }
        let bindLine = "\(Self.place(assignment.line)): \(who) is \(assignment.role.rawValue)"
        let decision = decide(assignment, operation, in: row.phase)
        if operation == .deployUnverified && !unverifiedAllowed {
            return Explanation(
                isAllowed: false, sentence: "no: the rules forbid it to everyone, by \(place(of: decision))",
                lines: [rowLine, bindLine])
        }
        guard decision.isAllowed else {
            return Explanation(
                isAllowed: false,
                sentence:
                    "no: \(operation.rawValue) needs \(row.right.rawValue), which \(assignment.role.rawValue) does not have",
                lines: [rowLine, bindLine])
        }
        let grant = row.right == .none ? [] : ["\(Self.place(decision.line)): grants \(row.right.rawValue)"]
        return Explanation(
            isAllowed: true, sentence: "yes: \(who) may \(operation.rawValue), by \(place(of: decision))",
            lines: [rowLine, bindLine] + grant)
    }
}
