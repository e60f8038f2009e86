package import Model

extension MachineShape {
    /// This machine, from /sys/devices/system and /proc/cpuinfo; what is not told counts as one.
    package static func ofThisMachine(
        system: String = "/sys/devices/system", cpuinfo: String = "/proc/cpuinfo"
    ) -> MachineShape {
        func count(_ path: String) -> Int { TextFile.firstLine(system + path).map { CPUList.parse($0).count } ?? 0 }
        let cpus = max(1, count("/cpu/online"))
        let flags = (try? TextFile.read(cpuinfo, limit: 1 << 20)).flatMap { text in
            text.split(separator: "\n").first { $0.hasPrefix("flags") }
        }
        return MachineShape(
            architecture: architecture, cpus: cpus,
            threadsPerCore: max(1, count("/cpu/cpu0/topology/thread_siblings_list")),
            llcs: min(cpus, Int(CPUTopology.read(root: system + "/cpu").llcCount)),
            nodes: min(cpus, max(1, count("/node/online"))),
            isVirtual: flags?.split(separator: " ").contains("hypervisor") ?? false)
    }

    /// That this program was made for.
    package static var architecture: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "aarch64"
        #else
            "other"
        #endif
    }
}
