import MicroVM
import Testing

extension EndToEnd {
    @Suite(.serialized) struct Faults {
        @Test func aStallingSchedulerIsEjectedAndTheReasonReported() async throws {
            let guest = try await Guest.clean()
            let ended = try await guest.ejected("/fixtures/stall.bpf.o")
            #expect(ended.exit?.kind == 1026, "\(ended)")
            #expect(ended.reason?.contains("stall") == true, "\(ended)")
            #expect(ended.exit?.dump?.contains("CPU") == true)
            #expect(try await guest.kernelState() == "disabled")
            #expect(try await guest.vm.succeed("schedctl events").contains("ejected"))
            let seen = try await guest.schedctl("history \(ended.id) --json", user: "alice")
            #expect(seen.status == 0)
            #expect(!seen.stdout.contains("dump"))
        }

        @Test func anErrorOfTheSchedulerIsReportedInItsWords() async throws {
            let guest = try await Guest.clean()
            let ended = try await guest.ejected("/fixtures/ejects.bpf.o")
            #expect(ended.exit?.kind == 1025, "\(ended)")
            #expect(ended.exit?.message?.isEmpty == false, "\(ended)")
            #expect(try await guest.kernelState() == "disabled")
            try await guest.vm.succeed("schedctl deploy fifo")
            #expect(try await guest.kernelOps().hasPrefix("fifo"))
        }

        @Test func aRefusedProgramShowsTheVerifiersLogAndChangesNothing() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime")
            let sequence = try await guest.enableSequence()
            let result = try await guest.schedctl("deploy /fixtures/refused.bpf.o --unverified --reason testing")
            #expect(result.status == 5, "\(result.summary)")
            #expect(result.stderr.contains("verifier refused"))
            #expect(result.stderr.contains("processed"), "\(result.stderr)")
            #expect(try await guest.kernelOps().hasPrefix("vtime"))
            #expect(try await guest.enableSequence() == sequence)
            #expect(try await guest.history().first?.state == "failed")
            let json = try await guest.schedctl("deploy /fixtures/refused.bpf.o --unverified --reason testing --json")
            #expect(json.stdout.contains("\"VERIFIER_REFUSED\""))
        }

        @Test func anObjectOfTheSchedExtConventionGetsItsConstants() async throws {
            let guest = try await Guest.clean()
            let result = try await guest.schedctl("deploy /fixtures/convention.bpf.o --unverified --reason testing")
            #expect(result.status == 0, "\(result.summary)")
            try await guest.vm.succeed(
                "for i in 1 2 3 4 5 6; do sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done' & done; wait")
            #expect(try await guest.kernelState() == "enabled")
        }

        @Test(arguments: ["/etc/passwd", "/bin/true", "/dev/null", "/fixtures/none.bpf.o"])
        func whatIsNoSchedulerIsRefused(file: String) async throws {
            let guest = try await Guest.clean()
            let result = try await guest.schedctl("deploy \(file) --unverified --reason testing")
            #expect(result.status == 1 || result.status == 64, "\(result.summary)")
            #expect(try await guest.kernelState() == "disabled")
            #expect(try await guest.schedctl("status").status == 0)
        }

        @Test func aFailedAttachPutsTheOldSchedulerBack() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime")
            let before = try #require(try await guest.status().deployment)
            let result = try await guest.schedctl("deploy /fixtures/initfails.bpf.o --unverified --reason testing")
            #expect(result.status == 1, "\(result.summary)")
            #expect(try await guest.kernelOps().hasPrefix("vtime"))
            let status = try await guest.status()
            #expect(status.deployment?.id == before.id)
            #expect(status.kernel.owner == "OURS")
            #expect(status.deployment?.enable_seq == status.kernel.enable_seq)
            try await guest.vm.succeed("systemctl restart schedcpd")
            #expect(try await guest.status().deployment?.id == before.id)
        }

        /// A scheduler is loaded for the CPUs of that moment, and the kernel refuses it once one has come or gone. What made way comes
        /// back all the same: loaded anew, the same deployment.
        @Test func whatMadeWayComesBackAlsoAfterAHotplug() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy ljf --param max_credit_ms=777 --hint process:encoder=40s")
            let before = try #require(try await guest.status().deployment)
            try await guest.vm.succeed(Self.hotplug)
            let result = try await guest.schedctl("deploy /fixtures/initfails.bpf.o --unverified --reason testing")
            #expect(result.status == 1, "\(result.summary)")
            try await expectBack(guest, before)
            let told = try await guest.vm.succeed("schedctl events | tail -n 4")
            #expect(told.contains("loaded anew and put back"), "\(told)")
            #expect(try await guest.vm.succeed("bpftool map dump name schedcp.rodata").contains("777"))
            #expect(try await guest.vm.succeed("bpftool map dump name hint_comm").contains("40000000000"))
            // And its new descriptors are those that outlive the daemon.
            try await guest.vm.succeed("systemctl restart schedcpd")
            try await expectBack(guest, before)
            // Once more, with nothing changed since: as it is.
            #expect(
                try await guest.schedctl("deploy /fixtures/initfails.bpf.o --unverified --reason testing").status == 1)
            try await expectBack(guest, before)
            #expect(try await guest.vm.succeed("schedctl events | tail -n 4").contains("ljf was put back because"))
        }

        /// After an ejection as well, as a deployment of its own.
        @Test func theLastKnownGoodOneComesBackAlsoAfterAHotplug() async throws {
            let guest = try await Guest.clean()
            try await guest.anHourLater()
            try await guest.vm.succeed("schedctl deploy vtime")
            let before = try #require(try await guest.status().deployment)
            try await guest.vm.succeed(Self.hotplug)
            try await guest.vm.succeed("schedctl deploy /fixtures/ejects.bpf.o --unverified --reason testing")
            try await guest.waitUntil("the last known good one") {
                let now = try await guest.status()
                return now.deployment?.scheduler == "vtime" && now.deployment?.id != before.id
                    && now.kernel.owner == "OURS"
            }
            #expect(try await guest.disagreements().isEmpty)
        }

        static let hotplug =
            "echo 0 >/sys/devices/system/cpu/cpu1/online; echo 1 >/sys/devices/system/cpu/cpu1/online"

        private func expectBack(_ guest: Guest, _ before: DeploymentReport) async throws {
            #expect(try await guest.kernelState() == "enabled")
            #expect(try await guest.kernelOps().hasPrefix(before.scheduler))
            let now = try await guest.status()
            #expect(now.kernel.owner == "OURS" && now.deployment?.id == before.id)
            #expect(now.deployment?.enable_seq == now.kernel.enable_seq)
            let problems = try await guest.disagreements()
            #expect(problems.isEmpty, "\(problems)")
        }

        @Test func aForeignSchedulerIsNamedAndLeftAlone() async throws {
            let guest = try await Guest.clean()
            // Another program that loads schedulers: a second daemon, without systemd, that ours knows nothing of.
            try await guest.vm.succeed(
                "mkdir -p /tmp/other && chown nobody /tmp/other && ln -sfn /fixtures /tmp/other-schedulers")
            let other = try await guest.vm.start(
                "exec schedcpd --socket /tmp/other.sock --state /tmp/other --audit /tmp/other/audit --user nobody")
            try await guest.waitUntil("the other program") {
                try await guest.vm.run("schedctl status --socket /tmp/other.sock").status == 0
            }
            try await guest.vm.succeed(
                "schedctl deploy /fixtures/foreign.bpf.o --unverified --reason testing --socket /tmp/other.sock")
            let sequence = try await guest.enableSequence()
            let status = try await guest.status()
            #expect(status.kernel.owner == "FOREIGN")
            #expect(status.kernel.ops?.hasPrefix("foreign") == true)
            #expect(try await guest.schedctl("status").stdout.contains("loaded by another program"))
            // Watched as far as it can be without knowing it.
            let view = try await guest.view()
            #expect(view.kernel.owner == "FOREIGN" && view.deployment == nil && view.cpus?.isEmpty == false)
            #expect(view.counters == nil && view.layers == nil && view.waits?.counts?.isEmpty == false)
            #expect(try await guest.schedctl("top --once").stdout.contains("foreign"))
            let refused = try await guest.schedctl("deploy vtime")
            #expect(refused.status == 1)
            #expect(refused.stderr.contains("foreign"))
            #expect(refused.stderr.contains("--takeover"))
            #expect(try await guest.schedctl("rollback").status == 1)
            #expect(try await guest.enableSequence() == sequence)
            #expect(try await guest.kernelOps().hasPrefix("foreign"))
            try await guest.vm.succeed("schedctl deploy vtime --takeover")
            #expect(try await guest.kernelOps().hasPrefix("vtime"))
            #expect(try await guest.status().kernel.owner == "OURS")
            try await guest.vm.succeed("pkill -f '[s]ocket /tmp/other.sock'")
            _ = try? await other.collect()
        }

        @Test func theEjectHelperServesOnlyTheDaemon() async throws {
            let guest = try await Guest.clean()
            let mode = try await guest.vm.succeed("stat -c '%U %a' /run/schedcp/eject.sock")
            #expect(mode.contains("schedcp 600"))
        }
    }
}
