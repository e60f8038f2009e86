import GuestProtocol
import Testing

@testable import Linux
@testable import MicroVM

/// A real machine of the lab: what a stand-in cannot show. Asked for with SCHEDCP_TEST_LAB=1, because it needs QEMU, the
/// image and a release build of schedcp-guest.
@Suite(.enabled(if: HostFile.environment("SCHEDCP_TEST_LAB") == "1"), .serialized, .timeLimit(.minutes(10)))
struct LabMachineTests {
    @Test func theKernelRunsSystemdAndSchedExt() async throws {
        var options = LabOptions()
        options.topology = Topology(sockets: 2, cores: 1, threads: 2, numaNodes: 2)
        try await withLabMachine(options) { machine in
            #expect(try await machine.succeed("cat /sys/kernel/sched_ext/state") == "disabled\n")
            #expect(try await machine.succeed("systemctl --failed --no-legend") == "")
            #expect(try await machine.succeed("nproc") == "4\n")
            #expect(try await machine.succeed("ls -d /sys/devices/system/node/node* | wc -l") == "2\n")
            let siblings = "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list"
            #expect(try await machine.succeed("cat \(siblings)") == "0-1\n")
            #expect(try await machine.succeed("stat -fc %T /sys/fs/cgroup") == "cgroup2fs\n")
            #expect(
                try await machine.succeed("id -un; pwd; echo $HOME", user: "alice")
                    == "alice\n/\n/home/alice\n")
            #expect(try await machine.succeed("journalctl -b -q -u schedcp-lab -o cat | wc -l") != "0\n")
            for command in ["bpftool version", "hackbench -l 1 -g 1", "stress --version"] {
                try await machine.succeed(command)
            }
            try await machine.powerDown()
            #expect(try await machine.waitUntilStopped(timeout: .seconds(1)) == .status(0))
            await #expect { try await machine.run("true") } throws: {
                ($0 as? MachineError)?.code == .stopped
            }
        }
    }

    @Test func thePortCarriesALotAndSurvivesAnAgentThatDies() async throws {
        try await withLabMachine { machine in
            let content = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13 >> 3) }
            try await machine.put(content, to: "/tmp/big", mode: 0o600)
            #expect(try await machine.get("/tmp/big") == content)
            let parts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await machine.run("cat /tmp/big").stdoutBytes.count } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(parts == [Int](repeating: content.count, count: 8))
            let sleeper = try await machine.start("sleep 1000")
            try await machine.start("sleep 1; kill -KILL $(systemctl show -P MainPID schedcp-lab)")
                .closeInput()
            await #expect(throws: MachineError.self) { try await sleeper.finish(timeout: .seconds(60)) }
        }
    }
}
