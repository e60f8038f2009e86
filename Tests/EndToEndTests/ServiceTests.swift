import Foundation
import MicroVM
import Testing

extension EndToEnd {
    @Suite(.serialized) struct Service {
        @Test func systemdHasStartedIt() async throws {
            let guest = try await Guest.clean()
            let shown = try await guest.vm.succeed(
                "systemctl show schedcpd -P ActiveState -P SubState -P StatusText -P NRestarts")
            #expect(shown.contains("active"))
            #expect(shown.contains("no deployment"))
            try await guest.vm.succeed("schedctl deploy fifo")
            try await guest.waitUntil("the unit's status text") {
                try await guest.vm.succeed("systemctl show schedcpd -P StatusText").contains("fifo")
            }
        }

        @Test func itHoldsTwoCapabilitiesAndNoMore() async throws {
            let guest = try await Guest.clean()
            let pid = try await guest.mainPID()
            let uid = try await guest.vm.succeed("id -u schedcp").filter(\.isNumber)
            let statuses = try await guest.vm.succeed("cat /proc/\(pid)/task/*/status")
            var fields: [String: Set<String>] = [:]
            for line in statuses.split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingPrefix { $0.isWhitespace } }
                if parts.count == 2 { fields[String(parts[0]), default: []].insert(String(parts[1])) }
            }
            #expect(fields["Uid"] == ["\(uid)\t\(uid)\t\(uid)\t\(uid)"])
            // CAP_PERFMON is 38, CAP_BPF is 39.
            #expect(fields["CapEff"] == ["000000c000000000"])
            #expect(fields["CapPrm"] == ["000000c000000000"])
            #expect(fields["CapBnd"] == ["000000c000000000"])
            #expect(fields["CapInh"] == ["0000000000000000"])
            #expect(fields["CapAmb"] == ["0000000000000000"])
            #expect(fields["NoNewPrivs"] == ["1"])
            #expect(fields["Seccomp"] == ["2"])
        }

        @Test func itsExposureIsAtMostTwo() async throws {
            let guest = try await Guest.clean()
            let report = try await guest.vm.succeed(
                // As it is installed: the lab lets the daemon have one port of the virtual machine besides.
                "systemd-analyze security --no-pager --offline=true /usr/lib/systemd/system/schedcpd.service")
            let line = try #require(report.split(separator: "\n").last { $0.contains("Overall exposure level") })
            let number = try #require(line.split(separator: " ").compactMap { Double($0) }.first)
            #expect(number <= 2.0, "\(report)")
            print("systemd-analyze security: \(number)")
        }

        @Test func restartDoesNotDisturbTheScheduler() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime")
            let before = try #require(try await guest.status().deployment)
            let sequence = try await guest.enableSequence()
            for _ in 1...3 {
                try await guest.vm.succeed("systemctl restart schedcpd")
                #expect(try await guest.enableSequence() == sequence)
                #expect(try await guest.kernelOps().hasPrefix("vtime"))
                let status = try await guest.status()
                #expect(status.kernel.owner == "OURS")
                #expect(status.deployment?.id == before.id)
            }
            #expect(try await guest.schedctl("rollback").status == 0)
            #expect(try await guest.kernelState() == "disabled")
        }

        @Test func aKilledDaemonTakesTheSchedulerUpAgain() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy ljf --hint process:x=1s")
            let before = try #require(try await guest.status().deployment)
            let sequence = try await guest.enableSequence()
            let pid = try await guest.mainPID()
            try await guest.vm.succeed("kill -9 \(pid)")
            #expect(try await guest.kernelState() == "enabled")
            try await guest.waitUntil("a new daemon") {
                let now = try await guest.mainPID()
                return now != 0 && now != pid
            }
            let status = try await guest.status()
            #expect(status.deployment?.id == before.id)
            #expect(status.kernel.owner == "OURS")
            #expect(try await guest.enableSequence() == sequence)
            #expect(try await guest.vm.succeed("schedctl events").contains("adopted"))
            try await guest.vm.succeed("systemctl reset-failed schedcpd")
        }

        @Test func anEjectionIsReportedAlsoAfterARestart() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                "schedctl deploy vtime && systemctl restart schedcpd && echo S >/proc/sysrq-trigger")
            try await guest.waitUntil("the record of the end") {
                try await guest.status().last_ended?.state == "ejected"
            }
            #expect(try await guest.status().last_ended?.reason?.contains("sysrq") == true)
        }

        @Test func stopGivesTheKernelItsDefaultBack() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime")
            let waited = try await guest.vm.succeed(
                """
                systemctl stop schedcpd.socket schedcpd.service; start=$(date +%s%N)
                for i in $(seq 600); do [ "$(cat /sys/kernel/sched_ext/state)" = disabled ] && break; sleep 0.02; done
                cat /sys/kernel/sched_ext/state; echo $((($(date +%s%N) - start) / 1000000)) ms after the stop
                """)
            #expect(waited.contains("disabled"), "\(waited)")
            print("back on the default: \(waited.split(separator: "\n").last ?? "")")
            try await guest.vm.succeed("systemctl start schedcpd.socket schedcpd.service")
            #expect(try await guest.status().last_ended?.state == "released")
        }

        @Test func theStartLimitGivesTheKernelItsDefaultBack() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime")
            let waited = try await guest.vm.succeed(
                """
                for i in $(seq 300); do
                    [ "$(systemctl show -P ActiveState schedcpd)" = failed ] && break
                    pid=$(systemctl show -P MainPID schedcpd); [ "$pid" != 0 ] && kill -9 $pid; sleep 0.05
                done
                systemctl show -P ActiveState schedcpd; failed=$(date +%s%N)
                for i in $(seq 600); do [ "$(cat /sys/kernel/sched_ext/state)" = disabled ] && break; sleep 0.02; done
                cat /sys/kernel/sched_ext/state; echo $((($(date +%s%N) - failed) / 1000000)) ms after the unit gave up
                """)
            #expect(waited.contains("failed"), "\(waited)")
            #expect(waited.contains("disabled"), "\(waited)")
            print("back on the default: \(waited.split(separator: "\n").last ?? "")")
            try await guest.vm.succeed("systemctl reset-failed; systemctl start schedcpd.socket schedcpd.service")
            #expect(try await guest.status().last_ended?.state == "released")
        }

        @Test func reloadReadsTheSchedulersAgain() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                """
                cd /usr/lib/schedcp/schedulers
                sed 's/^name = "fifo"/name = "newcomer"/' fifo.toml >newcomer.toml
                systemctl reload schedcpd
                """)
            try await guest.waitUntil("the new entry") {
                try await guest.vm.succeed("schedctl list").contains("newcomer")
            }
            try await guest.vm.succeed("rm /usr/lib/schedcp/schedulers/newcomer.toml; systemctl reload schedcpd")
            try await guest.waitUntil("the entry to go") {
                try await !guest.vm.succeed("schedctl list").contains("newcomer")
            }
        }

        @Test func aFullDiskRefusesAndChangesNothing() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                """
                systemctl stop schedcpd.socket schedcpd.service
                mount -t tmpfs -o size=2m,mode=0700 tmpfs /var/lib/schedcp && chown schedcp:schedcp /var/lib/schedcp
                systemctl start schedcpd.socket schedcpd.service
                """)
            try await guest.vm.succeed("dd if=/dev/zero of=/var/lib/schedcp/fill bs=4k 2>/dev/null; sync; true")
            let refused = try await guest.schedctl("deploy vtime")
            #expect(refused.status == 1)
            #expect(refused.stderr.contains("disk") || refused.stderr.contains("full"), "\(refused.stderr)")
            #expect(try await guest.kernelState() == "disabled")
            #expect(try await guest.status().deployment == nil)
            try await guest.vm.succeed("rm /var/lib/schedcp/fill; schedctl deploy vtime")
            #expect(try await guest.kernelState() == "enabled")
            try await guest.vm.succeed(
                "systemctl stop schedcpd.socket schedcpd.service; umount /var/lib/schedcp; systemctl start schedcpd.socket schedcpd.service"
            )
        }

        /// The running scheduler hangs on the daemon's start: a full disk must not keep it from that.
        @Test func aStartOnAFullDiskKeepsTheScheduler() async throws {
            let guest = try await Guest.clean()
            let folder = "/run/systemd/system/schedcpd.service.d"
            try await guest.vm.succeed(
                """
                systemctl stop schedcpd.socket schedcpd.service
                mount -t tmpfs -o size=4m,mode=0700 tmpfs /var/lib/schedcp && chown schedcp:schedcp /var/lib/schedcp
                mount -t tmpfs -o size=1m,mode=2750 tmpfs /var/log/schedcp && chown schedcp:adm /var/log/schedcp
                mkdir -p \(folder); printf '[Unit]\\nStartLimitIntervalSec=0\\n' >\(folder)/full.conf
                systemctl daemon-reload; systemctl start schedcpd.socket schedcpd.service
                """)
            let restore = """
                rm -f \(folder)/full.conf; systemctl daemon-reload; systemctl stop schedcpd.socket schedcpd.service
                umount /var/lib/schedcp /var/log/schedcp; systemctl reset-failed; systemctl start schedcpd.socket schedcpd.service
                """
            do { try await startOnAFullDisk(guest, configuration: folder + "/full.conf") } catch {
                try await guest.vm.succeed(restore)
                throw error
            }
            try await guest.vm.succeed(restore)
        }

        private func startOnAFullDisk(_ guest: Guest, configuration: String) async throws {
            try await guest.vm.succeed("schedctl deploy vtime")
            let before = try #require(try await guest.status().deployment)
            let sequence = try await guest.enableSequence()
            let fill =
                "for f in lib log; do dd if=/dev/zero of=/var/$f/schedcp/fill bs=4k oflag=append conv=notrunc; done 2>/dev/null; true"
            try await guest.vm.succeed(fill)
            // A record may still fit into the last page of the audit.
            try await guest.waitUntil("the audit to find no room") {
                try await guest.vm.succeed("systemctl restart schedcpd")
                return try await guest.schedctl("status").stdout.contains("audit")
            }
            // At each start from here on nothing is free, and what SQLite makes anew is missing.
            try await guest.vm.put(
                Array(
                    """
                    [Unit]
                    StartLimitIntervalSec=0
                    [Service]
                    ExecStartPre=+/bin/sh -c 'rm -f /var/lib/schedcp/schedcp.sqlite-shm; \(fill.replacingOccurrences(of: "$", with: "$$"))'

                    """.utf8), to: configuration, mode: 0o644)
            try await guest.vm.succeed("systemctl daemon-reload")
            for how in ["systemctl restart schedcpd", "systemctl kill -s KILL schedcpd"] {
                let pid = try await guest.mainPID()
                try await guest.vm.succeed(how)
                try await guest.waitUntil("a new daemon") {
                    let now = try await guest.mainPID()
                    guard now != 0, now != pid else { return false }
                    return try await guest.schedctl("status").status == 0
                }
                #expect(try await guest.kernelState() == "enabled", "\(how)")
                #expect(try await guest.enableSequence() == sequence, "\(how)")
                let status = try await guest.status()
                #expect(status.kernel.owner == "OURS" && status.deployment?.id == before.id, "\(how)")
                #expect(try await guest.schedctl("status").stdout.contains("audit"), "\(how)")
                let refused = try await guest.schedctl("deploy fifo --unverified --reason testing")
                #expect(refused.status == 1 && refused.stderr.contains("audit"), "\(refused.summary)")
            }
            let said = try await guest.vm.succeed("journalctl -u schedcpd -n 60 -o cat --no-pager")
            #expect(said.contains("cannot be written"), "\(said)")
            try await guest.vm.succeed(
                "printf '[Unit]\\nStartLimitIntervalSec=0\\n' >\(configuration); systemctl daemon-reload; rm /var/lib/schedcp/fill /var/log/schedcp/fill"
            )
            try await guest.waitUntil("the audit to go on") {
                try await !guest.schedctl("status").stdout.contains("audit")
            }
            // The starts that it could not tell of are told.
            #expect(try await guest.read("/var/log/schedcp/audit.jsonl").contains("\"since\""))
            try await guest.vm.succeed("schedctl deploy fifo")
            let problems = try await guest.disagreements()
            #expect(problems.isEmpty, "\(problems)")
        }

        @Test func logsAreStructured() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy fifo")
            try await guest.waitUntil("the entry in the journal") {
                try await guest.vm.run("journalctl -u schedcpd SCHEDCP_EVENT=deployed -o json --no-pager").stdout
                    .contains("SCHEDCP_DEPLOYMENT")
            }
        }
    }
}
