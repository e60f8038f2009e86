import Audit
import Crypto
import Foundation
import Model
import Synchronization
import TestSupport

/// A log in a folder of its own, with a clock that is told the time and a key.
final class TestLog: Sendable {
    let folder: TemporaryFolder
    let clock = Mutex<Int64>(1_700_000_000_000_000_000)
    /// What is to fail, by its turn.
    let failing = Mutex<[AuditFaultPoint: Int32]>([:])
    static let key = Curve25519.Signing.PrivateKey()
    static let keys = ["audit-1": [UInt8](key.publicKey.rawRepresentation)]

    init(later seconds: Int64 = 0) throws {
        folder = try TemporaryFolder()
        clock.withLock { $0 += seconds * 1_000_000_000 }
    }

    var path: String { folder.path }
    var text: String { folder.text("audit.jsonl") }

    func fail(_ point: AuditFaultPoint, _ code: Int32? = EIO) { failing.withLock { $0[point] = code } }

    func open(_ limits: AuditLimits = AuditLimits(), signed: Bool = true) throws -> AuditLog {
        // A child that another test starts at this moment holds every descriptor, and so the lock, until its exec.
        for _ in 0..<500 {
            do throws(Failure) { return try openOnce(limits, signed: signed) } catch {
                guard error.code == .busy else { throw error }
                usleep(2000)
            }
        }
        return try openOnce(limits, signed: signed)
    }

    func openOnce(_ limits: AuditLimits = AuditLimits(), signed: Bool = true) throws(Failure) -> AuditLog {
        let unsigned: AuditSigner = { _ in nil }
        return try AuditLog.open(
            folder: path, limits: limits, clock: { self.tick() }, signer: signed ? Self.signer : unsigned,
            faults: { point in self.failing.withLock { $0[point] } })
    }

    func openAside(because reason: Failure) throws -> AuditLog {
        try AuditLog.openAside(folder: path, because: reason, clock: { self.tick() }, signer: Self.signer)
    }

    static let signer: AuditSigner = { message in
        (try? key.signature(for: message)).map { ("audit-1", [UInt8]($0)) }
    }

    private func tick() -> Int64 {
        clock.withLock { time in
            time += 1_000_003
            return time
        }
    }

    func verify(expecting head: AuditReceipt? = nil) throws -> AuditReport {
        try AuditVerifier.verify(folder: path, keys: Self.keys, expecting: head)
    }

    /// The lines of the current file, without their ends.
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    func write(lines: [String]) throws { try folder.write(lines.map { $0 + "\n" }.joined(), to: "audit.jsonl") }

    /// A small log with records of different kinds, closed.
    static func small(_ records: Int = 6, later seconds: Int64 = 0) throws -> TestLog {
        let log = try TestLog(later: seconds)
        let audit = try log.open()
        for index in 0..<records { try audit.append(.sample(index), durable: false) }
        try audit.close()
        return log
    }
}

extension AuditActor {
    static func sample(_ uid: UInt32 = 1000) -> AuditActor {
        AuditActor(
            uid: uid, gid: 100, pid: 4242, user: "ada", comm: "schedctl", cgroup: "/user.slice")
    }
}

extension AuditEntry {
    static func sample(_ index: Int) -> AuditEntry {
        switch index % 4 {
        case 0:
            AuditEntry(
                .operation, "deploy", actor: .sample(), subject: "sha256:00ff", decision: .allowed,
                rule: "rules.conf:41", detail: ["stage": "canary", "cpus": "0-3"])
        case 1: AuditEntry(.outcome, "deploy", actor: .sample(), outcome: .ok, ref: UInt64(index))
        case 2:
            AuditEntry(
                .outcome, "deploy", outcome: AuditOutcome(Failure(.verifierRefused, "the verifier said \"no\"")))
        default: AuditEntry(.event, "ejected", subject: "fifo", detail: ["reason": "stall"])
        }
    }

    static func random(_ random: inout Seeded) -> AuditEntry {
        let kinds: [AuditKind] = [.operation, .outcome, .look, .denied, .event]
        var entry = AuditEntry(kinds[random.below(kinds.count)], random.text())
        if !random.chance(3) {
            entry.actor = AuditActor(
                uid: .random(in: .min ... .max, using: &random), gid: .random(in: .min ... .max, using: &random),
                pid: .random(in: .min ... .max, using: &random), user: random.text(), comm: random.text(400),
                cgroup: random.text())
        }
        entry.subject = random.text(300)
        entry.decision = [nil, .allowed, .denied][random.below(3)]
        entry.rule = random.text()
        if random.chance(2) { entry.outcome = AuditOutcome(code: random.text(8), message: random.text(1500)) }
        for _ in 0..<random.below(22) { entry.detail[random.text(8)] = random.text(random.chance(6) ? 1200 : 20) }
        if random.chance(3) { entry.ref = .random(in: .min ... .max, using: &random) }
        if random.chance(3) { entry.count = .random(in: .min ... .max, using: &random) }
        return entry
    }
}

extension TestLog {
    static let otherKey = Curve25519.Signing.PrivateKey().publicKey.rawRepresentation
}
