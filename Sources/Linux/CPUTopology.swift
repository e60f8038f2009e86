/// Which CPUs share a last-level cache, from /sys/devices/system/cpu.
package struct CPUTopology: Hashable, Sendable {
    /// For each CPU number up to the highest possible one, the dense index of its LLC. CPUs about which nothing is
    /// known (offline, no cache information) are in LLC 0.
    package let llcOfCPU: [UInt32]
    package let llcCount: UInt32

    package init(llcOfCPU: [UInt32]) {
        self.llcOfCPU = llcOfCPU
        llcCount = (llcOfCPU.max() ?? 0) + 1
    }

    package static func read(root: String = "/sys/devices/system/cpu") -> CPUTopology {
        let possible = TextFile.firstLine("\(root)/possible").map(CPUList.parse) ?? []
        guard let highest = possible.max(), highest < 65536 else { return CPUTopology(llcOfCPU: [0]) }
        var dense: [String: UInt32] = [:]
        var llcOfCPU = [UInt32](repeating: 0, count: highest + 1)
        for cpu in possible.sorted() {
            guard let key = lastLevelCache(root: root, cpu: cpu) else { continue }
            let index = dense[key] ?? UInt32(dense.count)
            dense[key] = index
            llcOfCPU[cpu] = index
        }
        return CPUTopology(llcOfCPU: llcOfCPU)
    }

    /// The CPUs that share the deepest cache of `cpu`, as the kernel lists them: equal text, equal cache.
    private static func lastLevelCache(root: String, cpu: Int) -> String? {
        let folder = "\(root)/cpu\(cpu)/cache"
        guard let names = try? Folder.names(folder) else { return nil }
        let indices = names.filter { $0.hasPrefix("index") }
        let levels = indices.compactMap { name -> (level: Int, shared: String)? in
            guard let level = TextFile.firstLine("\(folder)/\(name)/level").flatMap({ Int($0) }),
                let shared = TextFile.firstLine("\(folder)/\(name)/shared_cpu_list")
            else { return nil }
            return (level, shared)
        }
        return levels.max { $0.level < $1.level }?.shared
    }
}

/// The kernel's lists of CPUs: "0-3,8,10-11".
package enum CPUList {
    /// The numbers, in the order given; what is not a list of numbers below 65536 is left out.
    package static func parse(_ text: String) -> [Int] {
        text.split(separator: ",").flatMap { part -> [Int] in
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map {
                Int($0.filter { !$0.isWhitespace })
            }
            switch (ends.first ?? nil, ends.count > 1 ? ends[1] : nil) {
            case (let only?, nil) where ends.count == 1 && (0..<65536).contains(only): return [only]
            case (let low?, let high?) where 0 <= low && low <= high && high < 65536: return Array(low...high)
            default: return []
            }
        }
    }
}
