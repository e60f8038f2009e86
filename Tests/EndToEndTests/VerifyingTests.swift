import Foundation
import MicroVM
import Testing

extension EndToEnd {
    /// Candidates on their way through the daemon of the machine to a verifier on the host, and back.
    @Suite(.serialized) struct Verifying {
        /// A scheduler of an agent's own: fifo under another name, and with a hole in it.
        static func source(losing: Bool) throws -> [UInt8] {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            var text = try String(contentsOf: root.appending(path: "bpf/fifo.bpf.c"), encoding: .utf8)
                .replacingOccurrences(of: "fifo", with: "mine")
            if losing {
                let body = "\tdsq_insert(p, queue,"
                #expect(text.contains(body))
                text = text.replacingOccurrences(
                    of: body,
                    with: "\tif (p->prio > 125)\n\t\treturn;\n\tdsq_insert(p, queue,")
            }
            return Array(text.utf8)
        }

        static func agent(_ guest: Guest) async throws {
            try await guest.vm.succeed(
                "id carol >/dev/null 2>&1 || useradd -m carol; usermod -aG schedcp-agents carol; systemctl reload schedcpd"
            )
        }

        @Test func anAgentsSourceIsVerifiedElsewhereAndDeployedHere() async throws {
            let guest = try await Guest.clean()
            try await Self.agent(guest)
            try await guest.vm.put(try Self.source(losing: false), to: "/tmp/mine.bpf.c", mode: 0o644)
            let result = try await guest.schedctl("deploy /tmp/mine.bpf.c", user: "carol")
            #expect(result.status == 0, "\(result.summary)")
            #expect(try await guest.kernelOps().hasPrefix("mine"))
            #expect(try await guest.status().deployment?.actor_user == "carol")
            // The attestation names every stage, the second time from evidence.
            let issued = try await guest.schedctl(
                "attest issue /tmp/mine.bpf.c --output /tmp/mine.json --json", user: "carol")
            #expect(issued.status == 0 && issued.stdout.contains("\"from_evidence\":true"), "\(issued.summary)")
            let shown = try await guest.vm.succeed("schedctl attest show /tmp/mine.json")
            for stage in ["compile", "static", "kernel", "dynamic"] {
                #expect(shown.contains("stage \(stage)"), "\(shown)")
            }
            #expect(shown.contains("lab") && shown.contains("verifier's key"), "\(shown)")
            let again = try await guest.schedctl("deploy /tmp/mine.bpf.c --attestation /tmp/mine.json", user: "carol")
            #expect(again.status == 0, "\(again.summary)")
        }

        @Test func aLostTaskIsRefusedWithItsLine() async throws {
            let guest = try await Guest.clean()
            try await Self.agent(guest)
            try await guest.vm.put(try Self.source(losing: true), to: "/tmp/losing.bpf.c", mode: 0o644)
            let result = try await guest.schedctl("deploy /tmp/losing.bpf.c", user: "carol")
            #expect(result.status == 5, "\(result.summary)")
            #expect(
                result.stderr.contains("[lost-task]") && result.stderr.contains("losing.bpf.c:"), "\(result.summary)")
            #expect(try await guest.kernelState() == "disabled")
            let audit = try await guest.vm.succeed("tail -n 4 /var/log/schedcp/audit.jsonl")
            #expect(audit.contains("static=failed") && audit.contains("lost-task"), "\(audit)")
        }

        @Test func whatDoesNotCompileIsSaidAsTheCompilerDoes() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.put(Array("#include \"/etc/shadow\"\nint x\n".utf8), to: "/tmp/bad.bpf.c", mode: 0o644)
            let result = try await guest.schedctl("deploy /tmp/bad.bpf.c")
            #expect(result.status == 5 && result.stderr.contains("bad.bpf.c:1"), "\(result.summary)")
            #expect(!result.stderr.contains("root:"))
        }

        @Test func withoutItsVerifierTheMachineDeploysNothing() async throws {
            let guest = try await Guest.clean()
            let rules = "/etc/schedcp/rules.conf"
            try await guest.vm.succeed(
                "cp \(rules) /tmp/rules.saved; sed -i 's|^verifier lab .*|verifier local socket /run/schedcp/verify.sock|' \(rules); schedctl rules reload"
            )
            let named = try await guest.schedctl("deploy vtime")
            #expect(named.status == 6 && named.stderr.contains("no verifier answers"), "\(named.summary)")
            #expect(named.stderr.contains("schedcp-verify.socket"))
            #expect(try await guest.kernelState() == "disabled")
            // The audited right to do without remains.
            let unverified = try await guest.schedctl("deploy vtime --unverified --reason 'no verifier today'")
            #expect(unverified.status == 0, "\(unverified.summary)")
            try await guest.vm.succeed("cp /tmp/rules.saved \(rules); schedctl rules reload; schedctl rollback")
            #expect(try await guest.schedctl("deploy vtime").status == 0)
        }

        /// The daemon is killed in the middle of a job: its successor begins a session of its own on the same port.
        @Test func aRestartedDaemonIsServedAgain() async throws {
            let guest = try await Guest.clean()
            _ = try await guest.vm.run(
                "(timeout 20 schedctl attest issue vtime --param slice_us=4321 >/dev/null 2>&1 &) ; sleep 1; systemctl kill -s KILL schedcpd; sleep 2; systemctl reset-failed schedcpd"
            )
            try await guest.vm.succeed("systemctl start schedcpd.socket schedcpd.service; schedctl deploy fifo")
            #expect(try await guest.kernelOps().hasPrefix("fifo"))
        }
    }
}
