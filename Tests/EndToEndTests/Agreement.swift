import Foundation
import MicroVM

/// That ledger, kernel and audit say the same: what each test that breaks something ends with.
extension Guest {
    struct AuditLine: Decodable {
        var seq: UInt64
        var kind: String
        var operation: String?
        var outcome: String?
        var decision: String?
        var untrusted: Untrusted?

        struct Untrusted: Decodable {
            var detail: [String: String]?
        }
    }

    /// The newest records of the audit, oldest first.
    func audit(_ count: Int = 200) async throws -> [AuditLine] {
        let text = try await vm.succeed("tail -q -n \(count) /var/log/schedcp/audit.jsonl")
        return try text.split(separator: "\n").map { line in
            try JSONDecoder().decode(AuditLine.self, from: Data(line.utf8))
        }
    }

    /// Waits until the daemon answers and has nothing in progress, then compares.
    /// - Returns: what they do not agree on; empty when they do.
    func disagreements() async throws -> [String] {
        try await waitUntil("a daemon that answers") { try await schedctl("status").status == 0 }
        var problems: [String] = []
        // The audit catches up with what a failing disk kept from it.
        for attempt in 0..<40 {
            problems = try await compare()
            if problems.isEmpty || attempt == 39 { break }
            try await Task.sleep(for: .milliseconds(500))
        }
        return problems
    }

    private func compare() async throws -> [String] {
        var problems: [String] = []
        let status = try await status()
        let records = try await history()
        let kernel = try await kernelState()
        let ops = kernel == "enabled" ? try await kernelOps() : ""
        let active = records.filter { $0.state == "active" }
        if active.count > 1 { problems.append("\(active.count) records are active") }
        if records.contains(where: { $0.state == "requested" }) { problems.append("a record is still requested") }
        if kernel == "enabled" && status.kernel.owner == "OURS" {
            if active.first?.scheduler.isEmpty != false {
                problems.append("the kernel runs \(ops), and no record is active")
            }
            if active.first?.enable_seq != status.kernel.enable_seq {
                problems.append("the record's enable_seq is not the kernel's")
            }
        } else if !active.isEmpty {
            problems.append("deployment \(active[0].id) is active, and the kernel is \(kernel) \(ops)")
        }
        // What the audit said last of each deployment.
        var said: [String: String] = [:]
        for line in try await audit() where line.kind == "event" {
            if let id = line.untrusted?.detail?["deployment"], let state = line.outcome, !state.isEmpty {
                said[id] = state
            }
        }
        for record in records.prefix(4) where said["\(record.id)"] != record.state {
            problems.append(
                "deployment \(record.id) is \(record.state), the audit says \(said["\(record.id)"] ?? "nothing")")
        }
        let verified = try await schedctl("audit verify")
        if verified.status != 0 { problems.append("the audit is not intact: \(verified.stdout)\(verified.stderr)") }
        return problems
    }
}
