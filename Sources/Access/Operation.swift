// Access: who may do what, and how much of it. The rules are a file that an administrator writes; this target parses it, names
// every mistake by line and column, and answers each question with the line that decides it. What no line grants is denied. It
// touches nothing: the file's bytes, names of users and the actor come from the caller.

/// Everything a client can ask for. An operation of the wire that is not here does not exist.
package enum Operation: String, CaseIterable, Sendable {
    case hello, cancel, status, list, show, history, events, doctor, whoami, explain
    case attest, verify, deploy
    case deployUnverified = "deploy-unverified"
    case takeover, rollback, audit, quarantine
    case quarantineRelease = "quarantine-release"
    case rulesReload = "rules-reload"
    case keys
    case keyRotate = "key-rotate"
    case keyRevoke = "key-revoke"
    case attestRevoke = "attest-revoke"
    case search, entries, entry
    case entryExport = "entry-export"
    case entryImport = "entry-import"
    case outcome, antipattern, antipatterns
    case tuning, tune, view

    /// Its place in a table.
    var index: Int { Self.places[self] ?? 0 }
    private static let places = Dictionary(uniqueKeysWithValues: zip(allCases, allCases.indices))
}

/// What an operation needs, and a role grants.
package enum Right: String, CaseIterable, Sendable {
    /// Whoever has a role at all.
    case none
    case look, verify, deploy
    case deployUnverified = "deploy-unverified"
    case takeover, rollback, audit, release, manage
    /// To add to the repository what counts for nothing until it is verified or measured here.
    case contribute
}

/// Where a connection is: before its greeting was accepted, or after.
package enum Phase: String, CaseIterable, Sendable { case greeting, serving }

/// The roles that the rules give to users and groups.
package enum Role: String, CaseIterable, Sendable {
    case observer, agent, operator_ = "operator", verifier, admin
}

/// Who a rule is about, by name.
package enum Subject: Hashable, Sendable, CustomStringConvertible {
    case user(String)
    case group(String)

    package var description: String {
        switch self {
        case .user(let name): "user \(name)"
        case .group(let name): "group \(name)"
        }
    }
}
