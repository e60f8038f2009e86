import Glibc
import Linux

/// The guest that the loads run on.
package struct Machine: Hashable, Sendable {
    /// The numbers of the CPUs that were online when the trial began; only those below 64 are worked.
    package var cpus: [Int]
    /// Of those, the ones that can be taken offline.
    package var removable: [Int]
    /// Where the controller `cpu` of cgroups can be used; nil where it cannot.
    package var cgroups: String?
    /// The candidate takes only tasks of SCHED_EXT, so that workers have to ask for it.
    package var onlyExtPolicy = false

    package init(cpus: [Int], removable: [Int] = [], cgroups: String? = nil) {
        self.cpus = cpus
        self.removable = removable
        self.cgroups = cgroups
    }

    package var allCPUs: UInt64 { cpus.reduce(0) { $0 | 1 << UInt64($1) } }

    /// Reads /sys, and mounts and prepares cgroups where nobody has.
    package static func prepare() -> Machine {
        let root = "/sys/devices/system/cpu"
        let online = (TextFile.firstLine("\(root)/online").map(CPUList.parse) ?? [0]).filter { $0 < 64 }
        let removable = online.filter { access("\(root)/cpu\($0)/online", W_OK) == 0 }
        return Machine(cpus: online, removable: removable, cgroups: prepareCgroups())
    }

    private static func prepareCgroups() -> String? {
        if !Cgroup.isV2Mounted() {
            _ = mkdir(Cgroup.root, 0o755)
            // SAFETY: all four are strings that live through the call.
            guard mount("none", Cgroup.root, "cgroup2", 0, nil) == 0 else { return nil }
        }
        guard SystemFile.write("+cpu", to: Cgroup.root + "/cgroup.subtree_control") else { return nil }
        return Cgroup.root
    }
}

/// Files of /proc and /sys that are written to.
package enum SystemFile {
    /// Writes the text in one write(2); false where that fails.
    @discardableResult
    package static func write(_ text: String, to path: String) -> Bool {
        guard let file = try? Descriptor.open(path, O_WRONLY) else { return false }
        let bytes = Array(text.utf8)
        // SAFETY: the array has as many bytes as it says.
        return Glibc.write(file.raw, bytes, bytes.count) == bytes.count
    }
}
