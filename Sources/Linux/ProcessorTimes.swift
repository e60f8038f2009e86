/// How long each CPU has worked, from /proc/stat, in the kernel's ticks of 10 ms.
package struct ProcessorTimes: Hashable, Sendable {
    package struct CPU: Hashable, Sendable {
        package var busy: UInt64
        package var all: UInt64

        package init(busy: UInt64, all: UInt64) {
            self.busy = busy
            self.all = all
        }
    }

    /// By CPU number: those that are online.
    package var cpus: [Int: CPU]

    package init(cpus: [Int: CPU]) { self.cpus = cpus }

    package static func read(_ path: String = "/proc/stat") -> ProcessorTimes? {
        // Thousands of CPUs, and a line of interrupts that is long as well.
        (try? TextFile.read(path, limit: 4 << 20)).map(ProcessorTimes.init(text:))
    }

    /// Lines such as `cpu3 user nice system idle iowait irq softirq steal guest guest_nice`; a guest's time is in user's already.
    package init(text: String) {
        var cpus: [Int: CPU] = [:]
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: "cpu".utf8) {
            let words = line.split(separator: UInt8(ascii: " ")).map { String(Substring($0)) }
            guard words.count >= 5, let cpu = Int(words[0].dropFirst(3)), (0..<65536).contains(cpu) else { continue }
            let times = words.dropFirst().prefix(8).map { UInt64($0) ?? 0 }
            let all = times.reduce(0, &+)
            let idle = times[3] &+ (times.count > 4 ? times[4] : 0)
            cpus[cpu] = CPU(busy: all >= idle ? all - idle : 0, all: all)
        }
        self.cpus = cpus
    }

    /// From 0 to 1, for each CPU that was there before.
    package func busy(since earlier: ProcessorTimes) -> [Int: Double] {
        var shares: [Int: Double] = [:]
        for (cpu, now) in cpus {
            guard let before = earlier.cpus[cpu] else { continue }
            // The kernel's sums may go back by a tick.
            let all = now.all > before.all ? now.all - before.all : 0
            let busy = now.busy > before.busy ? now.busy - before.busy : 0
            shares[cpu] = all == 0 ? 0 : min(1, Double(busy) / Double(all))
        }
        return shares
    }
}
