// Access: who may do what. A table, and one function that reads it; what the table does not grant is denied. It touches
// nothing: the actor comes from the kernel, the group's number from the caller.

package import Model

/// Everything a client can ask for. An operation of the wire that is not here does not exist.
package enum Operation: String, CaseIterable, Sendable {
    case hello, cancel, status, list, show, history, events, doctor
    case deploy
    case deployObject = "deploy-object"
    case rollback
}

/// Where a connection is: before its greeting was accepted, or after.
package enum Phase: CaseIterable, Sendable { case greeting, serving }

/// What an operation needs.
package enum Right: Sendable {
    /// Whoever reaches the socket.
    case look
    /// Root and the members of the administrators' group.
    case change
    /// Root alone.
    case root
}

package struct AccessRules: Hashable, Sendable {
    /// Members of this group may change the machine's scheduler.
    package static let adminGroupName = "schedcp-admin"

    package let adminGroup: UInt32?

    package init(adminGroup: UInt32?) { self.adminGroup = adminGroup }

    /// The table: the right that each operation needs, and the phase in which it is permitted.
    package static func row(_ operation: Operation) -> (right: Right, phase: Phase) {
        switch operation {
        case .hello: (.look, .greeting)
        case .cancel, .status, .list, .show, .history, .events, .doctor: (.look, .serving)
        case .deploy, .rollback: (.change, .serving)
        case .deployObject: (.root, .serving)
        }
    }

    /// Throws why not, unless it is permitted.
    package func check(_ actor: Actor, _ operation: Operation, in phase: Phase) throws(Failure) {
        let row = Self.row(operation)
        guard row.phase == phase else {
            throw Failure(
                .outOfPhase,
                phase == .greeting ? "'\(operation.rawValue)' came before hello" : "hello came twice",
                hint: "a connection begins with one hello; see PROTOCOL.md")
        }
        guard has(actor, row.right) else {
            throw Failure(
                .denied,
                "user \(actor.user.escapedForDisplay(limit: 64)) (uid \(actor.uid)) may not \(operation.rawValue)",
                hint: row.right == .root
                    ? "at this stage only root may deploy an object file; deploy a scheduler of the repository by name"
                    : "only root and members of the group \(Self.adminGroupName) may; the membership counts from the next login"
            )
        }
    }

    package func has(_ actor: Actor, _ right: Right) -> Bool {
        switch right {
        case .look: true
        case .root: actor.isRoot
        case .change: actor.isRoot || adminGroup.map(actor.groups.contains) ?? false
        }
    }
}
