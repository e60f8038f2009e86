import FoundationEssentials
import Model

/// What the database holds as JSON. Fields are only ever added, and always optional for old rows.
struct StoredSpec: Codable {
    struct Pair: Codable {
        let name: String
        let value: String
    }

    struct StoredHint: Codable {
        let kind: String
        let key: String
        let nanoseconds: UInt64
    }

    let parameters: [Pair]
    let hints: [StoredHint]
    let uid: UInt32
    let gid: UInt32
    let pid: Int32
    let user: String

    init(_ spec: DeploymentSpec) {
        parameters = spec.parameters.map { Pair(name: $0.name, value: $0.value) }
        hints = spec.hints.map { StoredHint(kind: $0.kind.rawValue, key: $0.key, nanoseconds: $0.nanoseconds) }
        uid = spec.actor.uid
        gid = spec.actor.gid
        pid = spec.actor.pid
        user = spec.actor.user
    }

    func spec(scheduler: String, artifact: String) throws(Failure) -> DeploymentSpec {
        var read: [Hint] = []
        for hint in hints {
            guard let kind = Hint.Kind(rawValue: hint.kind) else { continue }
            read.append(try Hint(kind: kind, key: hint.key, nanoseconds: hint.nanoseconds))
        }
        return DeploymentSpec(
            scheduler: scheduler, artifact: artifact,
            parameters: parameters.map { Setting(name: $0.name, value: $0.value) },
            hints: read, actor: Actor(uid: uid, gid: gid, pid: pid, groups: [], user: user))
    }
}

struct StoredExit: Codable {
    let kind: Int32
    let code: Int64
    let reason: String
    let message: String
    let dump: String

    init(_ info: ExitInfo) {
        kind = info.kind.rawValue
        code = info.code
        reason = info.reason
        message = info.message
        dump = info.dump
    }

    var info: ExitInfo {
        ExitInfo(kind: ExitInfo.Kind(rawValue: kind), code: code, reason: reason, message: message, dump: dump)
    }
}

extension Encodable {
    func json() throws(Failure) -> String {
        do { return String(decoding: try JSONEncoder().encode(self), as: UTF8.self) } catch {
            throw Failure(.internal, "a record could not be encoded: \(error)")
        }
    }
}

extension Decodable {
    init(json: String) throws(Failure) {
        do { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) } catch {
            throw Failure(.storage, "a record in the history cannot be read: \(error)")
        }
    }
}
