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
    let comm: String?
    let cgroup: String?
    let hintMaps: [String: String]?
    var live: StoredLive?

    init(_ spec: DeploymentSpec) {
        parameters = spec.parameters.map { Pair(name: $0.name, value: $0.value) }
        hints = spec.hints.map { StoredHint(kind: $0.kind.rawValue, key: $0.key, nanoseconds: $0.nanoseconds) }
        uid = spec.actor.uid
        gid = spec.actor.gid
        pid = spec.actor.pid
        user = spec.actor.user
        comm = spec.actor.comm
        cgroup = spec.actor.cgroup
        hintMaps = Dictionary(
            spec.hintMaps.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { first, _ in first })
        if spec.live != .none { live = StoredLive(spec.live) }
    }

    func spec(scheduler: String, artifact: String, authority: Authority) throws(Failure) -> DeploymentSpec {
        var read: [Hint] = []
        for hint in hints {
            guard let kind = Hint.Kind(rawValue: hint.kind) else { continue }
            read.append(try Hint(kind: kind, key: hint.key, nanoseconds: hint.nanoseconds))
        }
        var maps: [Hint.Kind: String] = [:]
        for (name, map) in hintMaps ?? [:] {
            if let kind = Hint.Kind(rawValue: name) { maps[kind] = map }
        }
        return DeploymentSpec(
            scheduler: scheduler, artifact: artifact,
            parameters: parameters.map { Setting(name: $0.name, value: $0.value) },
            hints: read, hintMaps: maps,
            actor: Actor(
                uid: uid, gid: gid, pid: pid, groups: [], user: user, comm: comm ?? "",
                cgroup: cgroup ?? ""),
            authority: authority, live: try live?.description ?? .none)
    }
}

struct StoredAuthority: Codable {
    let kind: String
    var nonce: String?
    var expiresAt: Int64?
    var digest: String?
    var keyID: String?
    var reason: String?
    var deployment: Int64?

    init(_ authority: Authority) {
        switch authority {
        case .attested(let nonce, let expiresAt, let digest, let keyID):
            kind = "attested"
            (self.nonce, self.expiresAt, self.digest, self.keyID) = (nonce, expiresAt, digest, keyID)
        case .unverified(let reason):
            kind = "unverified"
            self.reason = reason
        case .restored(let deployment):
            kind = "restored"
            self.deployment = deployment
        }
    }

    var authority: Authority {
        get throws(Failure) {
            switch kind {
            case "attested":
                .attested(
                    nonce: nonce ?? "", expiresAt: expiresAt ?? 0, digest: digest ?? "", keyID: keyID ?? "")
            case "unverified": .unverified(reason: reason ?? "")
            case "restored": .restored(of: deployment ?? 0)
            default: throw Failure(.storage, "the history holds an unknown kind of authority")
            }
        }
    }
}

struct StoredBlame: Codable {
    let kind: String
    var process: String?
    var pid: Int32?
    var cpu: Int?
    var schedulingClass: String?

    init(_ blame: Blame) {
        switch blame {
        case .scheduler: kind = "scheduler"
        case .outside: kind = "outside"
        case .hog(let process, let pid, let cpu, let schedulingClass):
            kind = "hog"
            (self.process, self.pid, self.cpu, self.schedulingClass) = (process, pid, cpu, schedulingClass)
        }
    }

    var blame: Blame {
        switch kind {
        case "hog":
            .hog(process: process ?? "", pid: pid ?? 0, cpu: cpu ?? 0, schedulingClass: schedulingClass ?? "")
        case "outside": .outside
        default: .scheduler
        }
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
            throw Failure(.storage, "a record cannot be read: \(error)")
        }
    }
}
