import MicroVM
import Testing

extension EndToEnd {
    @Suite(.serialized) struct Deploying {
        @Test(arguments: ["fifo", "vtime", "ljf"])
        func deployedSchedulerIsTheKernels(name: String) async throws {
            let guest = try await Guest.clean()
            let before = try await guest.enableSequence()
            let result = try await guest.schedctl("deploy \(name)")
            #expect(result.status == 0, "\(result.summary)")
            #expect(try await guest.kernelState() == "enabled")
            let ops = try await guest.kernelOps()
            #expect(ops.hasPrefix(name))
            let status = try await guest.status()
            #expect(status.kernel.ops == ops)
            #expect(status.kernel.owner == "OURS")
            #expect(status.deployment?.scheduler == name)
            #expect(status.deployment?.state == "active")
            let after = try await guest.enableSequence()
            #expect(after == before + 1)
            #expect(status.kernel.enable_seq == after)
            #expect(
                try await guest.vm.run(
                    "for i in 1 2 3 4; do (timeout 1 sh -c 'while :; do :; done' &) ; done; sleep 1; echo alive"
                ).stdout.contains("alive"))
            #expect(try await guest.kernelState() == "enabled")
        }

        @Test func rollbackGivesTheDefaultBack() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime")
            let result = try await guest.schedctl("rollback")
            #expect(result.status == 0, "\(result.summary)")
            #expect(try await guest.kernelState() == "disabled")
            let status = try await guest.status()
            #expect(status.kernel.owner ?? "NONE" == "NONE")
            #expect(status.deployment == nil)
            #expect(status.last_ended?.state == "rolled-back")
            #expect(try await guest.schedctl("rollback").status == 1)
        }

        @Test func secondDeploymentTakesTheFirstOnesPlace() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy fifo")
            let first = try #require(try await guest.status().deployment)
            try await guest.vm.succeed("schedctl deploy vtime")
            let status = try await guest.status()
            #expect(status.kernel.ops?.hasPrefix("vtime") == true)
            #expect(try await guest.history().first { $0.id == first.id }?.state == "superseded")
        }

        @Test func deploymentsAtOnceLeaveOneScheduler() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                "for name in fifo vtime ljf fifo vtime ljf; do schedctl deploy $name >/tmp/at-once.$name 2>&1 & done; wait"
            )
            let status = try await guest.status()
            let ops = try await guest.kernelOps()
            #expect(status.kernel.ops == ops)
            #expect(status.kernel.owner == "OURS")
            #expect(ops.hasPrefix(status.deployment?.scheduler ?? "?"))
            #expect(try await guest.history().filter { $0.state == "active" }.count == 1)
        }

        @Test func parametersReachTheObject() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime --param slice_us=7777")
            let dump = try await guest.vm.succeed(
                "bpftool map dump name schedcp.rodata 2>/dev/null || bpftool map list")
            #expect(dump.contains("7777"), "\(dump.prefix(600))")
        }

        @Test(arguments: [
            ("deploy vtime --param slice_us=0", "between"), ("deploy vtime --param slice_us=x", "whole number"),
            ("deploy vtime --param nothing=1", "no parameter"),
            ("deploy vtime --param slice_us=5000 --param slice_us=6000", "twice"),
            ("deploy vtime --hint process:a=1s", "no hints"),
            ("deploy ljf --hint cgroup:no/such/group=1s", "no cgroup"),
            ("deploy nosuch", "installed are"), ("deploy ../../etc/passwd", ""), ("deploy /etc/shadow", ""),
        ])
        func badInputChangesNothing(arguments: String, expected: String) async throws {
            let guest = try await Guest.clean()
            let before = try await guest.enableSequence()
            let result = try await guest.schedctl(arguments)
            #expect(result.status != 0)
            #expect(result.stderr.contains("error: "))
            #expect(result.stderr.contains(expected), "\(result.stderr)")
            #expect(try await guest.kernelState() == "disabled")
            #expect(try await guest.enableSequence() == before)
            #expect(try await guest.vm.run("systemctl is-active schedcpd").stdout.contains("active"))
        }

        @Test func hintsReachTheMaps() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                "schedctl deploy ljf --hint process:encoder=40s --hint cgroup:system.slice=500ms")
            let byName = try await guest.vm.succeed("bpftool map dump name hint_comm")
            #expect(byName.contains("40000000000"), "\(byName)")
            let byGroup = try await guest.vm.succeed("bpftool map dump name hint_cgroup")
            #expect(byGroup.contains("500000000"), "\(byGroup)")
            let inode =
                try await guest.vm.succeed("stat -c %i /sys/fs/cgroup/system.slice").split(separator: "\n").first ?? "?"
            #expect(byGroup.contains(inode), "\(byGroup) without \(inode)")
        }

        @Test func whoMayWhat() async throws {
            let guest = try await Guest.clean()
            #expect(try await guest.schedctl("status", user: "alice").status == 0)
            #expect(try await guest.schedctl("list", user: "alice").status == 0)
            #expect(try await guest.schedctl("deploy vtime", user: "alice").status == 4)
            #expect(try await guest.schedctl("rollback", user: "alice").status == 4)
            #expect(try await guest.kernelState() == "disabled")
            try await guest.vm.succeed("usermod -aG schedcp-admin bob && systemctl reload schedcpd")
            #expect(try await guest.schedctl("deploy vtime", user: "bob").status == 0)
            #expect(try await guest.status().deployment?.actor_user == "bob")
            #expect(try await guest.schedctl("deploy /fixtures/foreign.bpf.o", user: "bob").status == 4)
            #expect(try await guest.status().deployment?.scheduler == "vtime")
            #expect(try await guest.schedctl("rollback", user: "bob").status == 0)
        }

        @Test func aVanishedClientLeavesADefinedState() async throws {
            let guest = try await Guest.clean()
            for delay in ["0.05", "0.1", "0.2", "0.4"] {
                _ = try await guest.vm.run("timeout -s KILL \(delay) schedctl deploy vtime")
                try await guest.waitUntil("the deployment to end one way or the other") {
                    try await !guest.history().contains { $0.state == "requested" }
                }
                let status = try await guest.status()
                #expect((status.kernel.owner == "OURS") == (status.deployment != nil))
                #expect((try await guest.kernelState() == "enabled") == (status.deployment != nil))
            }
        }

        @Test func hotplugLeavesTheSchedulerRunning() async throws {
            let guest = try await Guest.clean()
            for name in ["fifo", "vtime", "ljf"] {
                try await guest.vm.succeed("schedctl deploy \(name)")
                let sequence = try await guest.enableSequence()
                try await guest.vm.succeed(
                    "for i in 1 2 3; do echo 0 >/sys/devices/system/cpu/cpu1/online; echo 1 >/sys/devices/system/cpu/cpu1/online; done"
                )
                #expect(try await guest.kernelState() == "enabled")
                #expect(try await guest.enableSequence() == sequence, "\(name)")
            }
        }

        @Test func doctorIsContentInTheLab() async throws {
            let guest = try await Guest.clean()
            let result = try await guest.schedctl("doctor")
            #expect(result.status == 0, "\(result.stdout)\(result.stderr)")
            #expect(!result.stdout.contains("missing"))
            #expect(result.stdout.contains("CAP_PERFMON CAP_BPF"))
        }
    }
}
