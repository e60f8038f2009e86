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

    /// What the guest says of itself, in one go: a machine that is emulated is slow to answer.
    private struct View {
        var status: StatusReport
        var records: [DeploymentReport]
        var state: String
        var ops: String
        var audit: [AuditLine]
        var verified: String
        var isIntact: Bool
    }

    private func look() async throws -> View? {
        let mark = "=-=-="
        let seen = try await vm.run(
            """
            schedctl status --json && echo '\(mark)' && schedctl history --limit 8 --json && echo '\(mark)' &&
            cat /sys/kernel/sched_ext/state && echo '\(mark)' && (cat /sys/kernel/sched_ext/root/ops 2>/dev/null || true) && echo '\(mark)' &&
            (grep -h '"kind":"event"' /var/log/schedcp/audit.jsonl | tail -n 80) && echo '\(mark)'
            schedctl audit verify 2>&1; echo "verified $?"
            """)
        let parts = seen.stdout.components(separatedBy: mark + "\n")
        guard parts.count == 6 else { return nil }
        let decoder = JSONDecoder()
        return View(
            status: try decoder.decode(StatusReport.self, from: Data(parts[0].utf8)),
            records: try decoder.decode(HistoryReport.self, from: Data(parts[1].utf8)).deployments ?? [],
            state: parts[2].trimmingCharacters(in: .whitespacesAndNewlines),
            ops: parts[3].trimmingCharacters(in: .whitespacesAndNewlines),
            audit: parts[4].split(separator: "\n").compactMap {
                try? decoder.decode(AuditLine.self, from: Data($0.utf8))
            }, verified: parts[5], isIntact: parts[5].contains("verified 0"))
    }

    /// Waits until the daemon answers and has nothing in progress, then compares.
    /// - Returns: what they do not agree on; empty when they do.
    func disagreements() async throws -> [String] {
        var problems = ["the daemon does not answer"]
        // The audit catches up with what a failing disk kept from it.
        for attempt in 0..<60 {
            if let view = try await look() { problems = Self.compare(view) }
            if problems.isEmpty || attempt == 59 { break }
            try await Task.sleep(for: .milliseconds(500))
        }
        return problems
    }

    private static func compare(_ view: View) -> [String] {
        var problems: [String] = []
        let (status, records, kernel) = (view.status, view.records, view.state)
        let ops = kernel == "enabled" ? view.ops : ""
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
        for line in view.audit where line.kind == "event" {
            if let id = line.untrusted?.detail?["deployment"], let state = line.outcome, !state.isEmpty {
                said[id] = state
            }
        }
        for record in records.prefix(4) where said["\(record.id)"] != record.state {
            problems.append(
                "deployment \(record.id) is \(record.state), the audit says \(said["\(record.id)"] ?? "nothing")")
        }
        if !view.isIntact { problems.append("the audit is not intact: \(view.verified)") }
        return problems
    }
}
