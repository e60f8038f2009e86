import Foundation
import Linux
import Model
import TestSupport
import Testing

/// What is said of this machine is compared with what it is.
@Suite struct MachineTests {
    @Test func cgroupV2IsWhereMountSaysItIs() throws {
        let mounts = try TextFile.read("/proc/self/mounts", limit: 1 << 20).split(separator: "\n")
        let fields = mounts.map { $0.split(separator: " ") }.filter { $0.count > 2 }
        // The last mount at a place is the one that is seen.
        let seen = fields.last { $0[1] == Cgroup.root }
        #expect(Cgroup.isV2Mounted() == (seen?[2] == "cgroup2"))
    }

    @Test(.enabled(if: Cgroup.isV2Mounted(), "the unified hierarchy is not mounted here"))
    func aCgroupsIdIsItsInode() async throws {
        let inode = try await Command.run("/usr/bin/stat", ["-c", "%i", Cgroup.root]).output
        #expect("\(try Cgroup.id(path: ""))\n" == inode)
        #expect(try Cgroup.id(path: "/") == Cgroup.id(path: ""))
        let missing = #expect(throws: Failure.self) { try Cgroup.id(path: "no-such.slice/at-all") }
        #expect(missing?.code == .notFound)
        // A file of the hierarchy is no cgroup.
        #expect(throws: Failure.self) { try Cgroup.id(path: "cgroup.procs") }
    }

    @Test(.disabled(if: Cgroup.isV2Mounted(), "the unified hierarchy is mounted here"))
    func withoutTheUnifiedHierarchyThereAreNoIds() {
        let failure = #expect(throws: Failure.self) { try Cgroup.id(path: "") }
        #expect(failure?.code == .kernelUnsupported)
        #expect(failure?.hint.isEmpty == false)
        #expect(HostProbe.cgroup().verdict == .warning)
    }

    @Test func everyCheckThatDoesNotHoldSaysWhatToDo() {
        let checks =
            HostProbe.schedulingChecks()
            + [HostProbe.bpfLoad(), HostProbe.perf(), HostProbe.cgroup(), HostProbe.systemd()]
        #expect(Set(checks.map(\.name)).count == checks.count)
        for check in checks {
            #expect(!check.name.isEmpty && !check.found.isEmpty)
            #expect(check.verdict == .found || !check.remedy.isEmpty, "\(check.name)")
        }
    }

    @Test func theChecksAreWhatTheMachineHas() {
        let isThere = FileManager.default.fileExists(atPath:)
        #expect((HostProbe.schedExt().verdict == .found) == isThere("/sys/kernel/sched_ext/state"))
        #expect((HostProbe.kernelBTF().verdict == .found) == isThere("/sys/kernel/btf/vmlinux"))
        #expect((HostProbe.systemd().verdict == .found) == isThere("/run/systemd/system"))
        #expect(HostProbe.schedExt().verdict == .found || HostProbe.schedExt().found.contains(KernelConfig.release))
    }

    @Test func whatIsMissingIsALineEach() {
        let missing = HostProbe.missingForDeployment()
        #expect(missing.count == HostProbe.schedulingChecks().count { $0.verdict == .missing })
        #expect(missing.allSatisfy { !$0.contains("\n") && $0.contains(": ") })
    }
}
