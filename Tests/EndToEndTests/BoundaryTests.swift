import Foundation
import MicroVM
import Testing

extension EndToEnd {
    /// Over the boundary: rules, attestations, audit, quarantine, and an agent that means harm.
    @Suite(.serialized) struct Boundary {
        @Test func aHostileAgentGetsNowhere() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                """
                id mallory >/dev/null 2>&1 || useradd -m mallory; usermod -aG schedcp-agents mallory
                usermod -aG schedcp-admin bob; systemctl reload schedcpd
                install -m 0644 /fixtures/stall.bpf.o /tmp/stall.bpf.o; install -m 0755 /fixtures/agent.pl /tmp/agent.pl
                """)
            try await guest.vm.succeed("schedctl attest issue vtime > /tmp/bobs.json; chmod 644 /tmp/bobs.json")
            // With a scheduler deployed, as it will be afterwards.
            try await guest.vm.succeed("schedctl deploy vtime")
            let before = try await openFiles(guest)
            let result = try await guest.vm.run(
                "perl /tmp/agent.pl /run/schedcp.sock /tmp/bobs.json /tmp/stall.bpf.o", user: "mallory",
                timeout: .seconds(400))
            let lines = result.stdout.split(separator: "\n")
            #expect(
                result.status == 0,
                "\(result.summary)\n\(lines.filter { $0.contains("ACCEPTED") }.joined(separator: "\n"))")
            let attacks = lines.filter { $0.hasPrefix("attack ") }
            for line in attacks { print("  \(line)") }
            #expect(attacks.count >= 60)
            #expect(attacks.allSatisfy { $0.split(separator: " ").dropFirst(3).first == "refused" })
            print(
                "attacks: hostile-agent \(attacks.count) tried, \(attacks.count { $0.contains(" refused ") }) refused")
            // Each kind left its trace, and none of them could forge a record.
            let verified = try await guest.schedctl("audit verify")
            #expect(verified.status == 0, "\(verified.summary)")
            let audit = try await guest.vm.succeed("cat /var/log/schedcp/audit.jsonl")
            for operation in [
                "rollback", "takeover", "deploy-unverified", "rules-reload", "key-rotate", "key-revoke",
                "attest-revoke", "quarantine-release", "audit",
            ] {
                let denied = audit.split(separator: "\n").contains {
                    $0.contains("\"denied\"") && $0.contains("\"\(operation)\"") && $0.contains("mallory")
                }
                #expect(denied, "\(operation)")
            }
            // What each process called itself, also of other users.
            #expect(audit.contains("\"user\":\"mallory\",\"comm\":\"perl\"") && audit.contains("\"comm\":\"schedctl\""))
            #expect(
                !audit.unicodeScalars.contains {
                    $0 != "\n" && ($0.value < 32 || $0.value == 0x202E || $0.value == 127)
                })
            // Nothing stays open in the daemon.
            try await guest.waitUntil("the descriptors to be given back") {
                let now = try await openFiles(guest)
                return (Int(now) ?? 99) <= (Int(before) ?? 0) + 2
            }
            let problems = try await guest.disagreements()
            #expect(problems.isEmpty, "\(problems)")
        }

        /// What the daemon has open, but for its repository, which it may read with more at once.
        private func openFiles(_ guest: Guest) async throws -> String {
            let list = "ls -l /proc/\(try await guest.mainPID())/fd | grep -vc /repository"
            return try await guest.vm.succeed(list).filter(\.isNumber)
        }

        @Test func anObserverOnlyLooks() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                """
                id victor >/dev/null 2>&1 || useradd -m victor
                install -m 0755 /fixtures/agent.pl /tmp/agent.pl
                """)
            let result = try await guest.vm.run("perl /tmp/agent.pl /run/schedcp.sock --observer", user: "victor")
            #expect(result.status == 0, "\(result.summary)\n\(result.stdout)")
            let lines = result.stdout.split(separator: "\n").filter { $0.hasPrefix("attack ") }
            #expect(lines.count == 12 && lines.allSatisfy { $0.contains(" refused 8 ") }, "\(result.stdout)")
            let audit = try await guest.vm.succeed("cat /var/log/schedcp/audit.jsonl")
            for operation in ["entry-import", "outcome", "antipattern", "tune"] {
                let denied = audit.split(separator: "\n").contains {
                    $0.contains("\"denied\"") && $0.contains("\"\(operation)\"") && $0.contains("victor")
                }
                #expect(denied, "\(operation)")
            }
        }

        @Test func anAttestationIsUsedOnceAlsoOverARestart() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl attest issue fifo --output /tmp/f.json")
            try await guest.vm.succeed(
                "schedctl key export >/tmp/key.pem; schedctl attest verify /tmp/f.json --key /tmp/key.pem")
            #expect(try await guest.vm.succeed("schedctl attest show /tmp/f.json").contains("fifo"))
            try await guest.vm.succeed("schedctl deploy fifo --attestation /tmp/f.json")
            for restart in ["true", "systemctl restart schedcpd", "systemctl kill -s KILL schedcpd; sleep 2"] {
                try await guest.vm.succeed(restart)
                let again = try await guest.schedctl("deploy fifo --attestation /tmp/f.json")
                #expect(again.status == 4, "\(again.summary)")
                #expect(again.stderr.contains("spent"), "\(again.stderr)")
            }
            try await guest.vm.succeed("systemctl reset-failed")
        }

        @Test func revokedKeysAndAttestationsAreRefused() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                "schedctl attest issue fifo --output /tmp/1.json; schedctl attest revoke /tmp/1.json --reason test")
            let revoked = try await guest.schedctl("deploy fifo --attestation /tmp/1.json")
            #expect(revoked.status == 4 && revoked.stderr.contains("revoked"), "\(revoked.summary)")
            try await guest.vm.succeed("schedctl attest issue fifo --output /tmp/2.json; schedctl key rotate")
            try await guest.vm.succeed("schedctl deploy fifo --attestation /tmp/2.json")
            try await guest.vm.succeed("schedctl attest issue vtime --output /tmp/3.json")
            let id = try await guest.vm.succeed("schedctl key list | awk '$2 == \"current\" {print $1}'").filter(
                \.isHexDigit)
            try await guest.vm.succeed("schedctl key revoke \(id) --reason test")
            let bad = try await guest.schedctl("deploy vtime --attestation /tmp/3.json")
            #expect(bad.status == 4 && bad.stderr.contains("revoked"), "\(bad.summary)")
            try await guest.vm.succeed("schedctl deploy vtime")
        }

        @Test func badRulesLeaveTheOldOnesInForce() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                "cp /etc/schedcp/rules.conf /tmp/rules.saved; echo 'bind usr root to admin' >>/etc/schedcp/rules.conf")
            let checked = try await guest.schedctl("rules check")
            #expect(
                checked.status == 1 && (checked.stdout + checked.stderr).contains("rules.conf:"), "\(checked.summary)")
            let reloaded = try await guest.schedctl("rules reload")
            #expect(reloaded.status == 1 && reloaded.stderr.contains("rules.conf:"), "\(reloaded.summary)")
            try await guest.vm.succeed("systemctl reload schedcpd; schedctl deploy fifo")
            try await guest.vm.succeed(
                "sed -i 's/^bind usr.*//; s/^unverified allowed/unverified forbidden/' /etc/schedcp/rules.conf; schedctl rules check; schedctl rules reload"
            )
            let forbidden = try await guest.schedctl("deploy /fixtures/convention.bpf.o --unverified --reason test")
            #expect(forbidden.status == 4, "\(forbidden.summary)")
            try await guest.vm.succeed("cp /tmp/rules.saved /etc/schedcp/rules.conf; schedctl rules reload")
            let explained = try await guest.schedctl("rules explain alice rollback")
            #expect(explained.stdout.contains("no") && explained.stdout.contains("rules.conf:"), "\(explained.summary)")
        }

        @Test func anEjectedArtifactIsQuarantinedAndTheOneBeforeComesBack() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime --param slice_us=4000")
            let good = try #require(try await guest.status().deployment)
            try await guest.vm.succeed("schedctl deploy /fixtures/ejects.bpf.o --unverified --reason test")
            try await guest.waitUntil("the last known good one") {
                let status = try await guest.status()
                return status.deployment?.scheduler == "vtime" && status.deployment?.id != good.id
                    && status.kernel.owner == "OURS"
            }
            let shown = try await guest.vm.succeed(
                "schedctl history \(try await guest.status().deployment?.id ?? 0) --json")
            #expect(shown.contains("\"restored\"") && shown.contains("4000"), "\(shown)")
            let again = try await guest.schedctl("deploy /fixtures/ejects.bpf.o --unverified --reason test")
            #expect(again.status == 4 && again.stderr.contains("quarantined"), "\(again.summary)")
            #expect(try await guest.vm.succeed("schedctl quarantine list").contains("error"))
            #expect(try await guest.disagreements().isEmpty)
        }

        @Test func aRealTimeHogIsNotTheSchedulersFault() async throws {
            let guest = try await Guest.clean()
            // Without the kernel's own help for tasks below real time, a hog on one CPU starves a task that is bound to it.
            let prepared = try await guest.vm.run(
                """
                mount -t debugfs none /sys/kernel/debug 2>/dev/null
                echo -1 >/proc/sys/kernel/sched_rt_runtime_us
                for f in /sys/kernel/debug/sched/*_server/cpu*/runtime; do echo 0 >$f 2>/dev/null; done; true
                """)
            #expect(prepared.status == 0)
            try await guest.vm.succeed("schedctl deploy fifo")
            // Who ends the hog has to get past it: what the kernel needs that CPU for while it disables waits for that.
            try await guest.vm.succeed(
                """
                (taskset -c 1 sh -c 'while :; do :; done' & echo $! >/tmp/victim) >/dev/null 2>&1
                (chrt -f 60 timeout 60 chrt -f 50 taskset -c 1 sh -c 'while :; do :; done' & echo $! >/tmp/hog) >/dev/null 2>&1
                """)
            try await guest.waitUntil("the watchdog", tries: 180) {
                try await guest.status().last_ended?.scheduler == "fifo"
            }
            try await guest.vm.succeed(
                "kill $(cat /tmp/hog /tmp/victim) 2>/dev/null; pkill -f '[w]hile :' ; echo 950000 >/proc/sys/kernel/sched_rt_runtime_us; true"
            )
            let ended = try #require(try await guest.status().last_ended)
            #expect(ended.reason?.contains("not the scheduler's fault") == true, "\(ended)")
            #expect(try await guest.vm.succeed("schedctl quarantine list").contains("nothing"))
            try await guest.waitUntil("it to come back") { try await guest.status().deployment?.scheduler == "fifo" }
        }

        /// The kernel ends whatever runs, again and again, while schedulers are deployed and rolled back.
        @Test func schedulersThatEndInTheMiddleOfADeployment() async throws {
            let guest = try await Guest.clean()
            _ = try await guest.vm.run(
                """
                (for i in $(seq 60); do echo S >/proc/sysrq-trigger; sleep 0.13; done) &
                for name in fifo vtime ljf fifo vtime ljf fifo vtime; do
                    schedctl deploy $name >/dev/null 2>&1; [ $name = ljf ] && schedctl rollback >/dev/null 2>&1
                done; wait
                """)
            let problems = try await guest.disagreements()
            #expect(problems.isEmpty, "\(problems)")
            try await guest.vm.succeed("schedctl deploy fifo")
            #expect(try await guest.disagreements().isEmpty)
        }

        @Test func aCgroupThatIsGoneIsRefusedAndChangesNothing() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                "mkdir /sys/fs/cgroup/short-lived; schedctl attest issue ljf --hint cgroup:short-lived=1s --output /tmp/c.json; rmdir /sys/fs/cgroup/short-lived"
            )
            let result = try await guest.schedctl("deploy ljf --hint cgroup:short-lived=1s --attestation /tmp/c.json")
            #expect(result.status == 1 && result.stderr.contains("no cgroup"), "\(result.summary)")
            #expect(try await guest.kernelState() == "disabled")
            #expect(try await guest.disagreements().isEmpty)
        }

        /// A build machine verifies, and another machine with the same kernel deploys what it has signed.
        @Test func aTrustedVerifiersAttestationIsGoodHere() async throws {
            let guest = try await Guest.clean()
            // The port to the lab's verifier is one process's at a time.
            try await guest.vm.succeed(
                """
                systemctl stop schedcpd.socket schedcpd.service
                mkdir -p /tmp/build && chown schedcp /tmp/build
                (schedcpd --socket /tmp/build.sock --state /tmp/build --audit /tmp/build/audit --user schedcp >/tmp/build.log 2>&1 &)
                for i in $(seq 100); do schedctl status --socket /tmp/build.sock >/dev/null 2>&1 && break; sleep 0.2; done
                schedctl attest issue vtime --for-anybody --output /tmp/v.json --socket /tmp/build.sock
                schedctl key export --format rules --socket /tmp/build.sock >/tmp/build.key
                test -s /tmp/v.json || { cat /tmp/build.log; exit 1; }
                """)
            try await guest.vm.succeed(
                """
                pkill -f '[s]ocket /tmp/build.sock'
                systemctl reset-failed schedcpd.service; systemctl start schedcpd.socket schedcpd.service
                """)
            let unknown = try await guest.schedctl("deploy vtime --attestation /tmp/v.json")
            #expect(unknown.status == 4 && unknown.stderr.contains("key"), "\(unknown.summary)")
            try await guest.vm.succeed(
                "cp /etc/schedcp/rules.conf /tmp/rules.saved; echo \"trust build-machine $(cat /tmp/build.key)\" >>/etc/schedcp/rules.conf; schedctl rules reload"
            )
            try await guest.vm.succeed("schedctl deploy vtime --attestation /tmp/v.json")
            #expect(try await guest.kernelOps().hasPrefix("vtime"))
            try await guest.vm.succeed("cp /tmp/rules.saved /etc/schedcp/rules.conf; schedctl rules reload")
        }

        /// The last one: from here on the daemon takes it to be three days later, as it should.
        @Test func aClockThatIsSetBackMakesNothingValidAgain() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl attest issue fifo --output /tmp/old.json")
            try await guest.vm.succeed("date -s '+3 days' && schedctl attest issue vtime --output /tmp/new.json")
            let expired = try await guest.schedctl("deploy fifo --attestation /tmp/old.json")
            #expect(expired.status == 4 && expired.stderr.contains("expired"), "\(expired.summary)")
            try await guest.vm.succeed("date -s '-3 days'")
            let still = try await guest.schedctl("deploy fifo --attestation /tmp/old.json")
            #expect(still.status == 4 && still.stderr.contains("expired"), "\(still.summary)")
            try await guest.vm.succeed("schedctl deploy fifo")
            #expect(try await guest.disagreements().isEmpty)
        }
    }

    /// The audit after everything above.
    @Suite(.serialized) struct ZAudit {
        @Test func itIsIntactAndAFlippedByteIsNamed() async throws {
            let guest = try await Guest.clean()
            let verified = try await guest.schedctl("audit verify")
            #expect(verified.status == 0, "\(verified.summary)")
            print("audit: \(verified.stdout.split(separator: "\n").joined(separator: "; "))")
            // Enough lines that the eleventh is not the last.
            try await guest.vm.succeed("for i in 1 2 3 4; do schedctl deploy fifo; schedctl rollback; done")
            try await guest.vm.succeed(
                """
                rm -rf /tmp/audit-copy; cp -r /var/log/schedcp /tmp/audit-copy; cd /tmp/audit-copy
                perl -e 'open F, "+<", "audit.jsonl" or die; $/ = undef; my $t = <F>; my @l = split /\\n/, $t; my $at = length(join "\\n", @l[0 .. 9]) + 30; seek F, $at, 0; read F, my $c, 1; seek F, $at, 0; print F chr(ord($c) ^ 1); close F'
                """)
            let broken = try await guest.schedctl("audit verify /tmp/audit-copy")
            #expect(broken.status == 1, "\(broken.summary)")
            #expect(
                (broken.stdout + broken.stderr).contains("line 11") || (broken.stdout + broken.stderr).contains(":11"),
                "\(broken.summary)")
            print("audit, one byte flipped: \((broken.stdout + broken.stderr).split(separator: "\n").first ?? "")")
        }
    }
}
