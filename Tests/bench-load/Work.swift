import Glibc
import Linux

/// What workers do, in pieces of fixed size: the same work whoever schedules it.
enum Work {
    static var now: UInt64 { UInt64(clamping: Linux.Clock.monotonic()) }

    /// So many rounds of arithmetic.
    @inline(never)
    @discardableResult
    static func grind(_ rounds: Int) -> UInt64 {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        for _ in 0..<rounds {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
        }
        // Never so, but nobody knows: else the compiler would leave out work whose result is not used.
        if state == 0 { sched_yield() }
        return state
    }

    /// Rounds per microsecond: the best of some tries, for what disturbs only makes it slower.
    static func measureSpeed() -> Double {
        let rounds = 200_000
        var best = Double.infinity
        var sink: UInt64 = 0
        for _ in 0..<12 {
            let before = Linux.Clock.monotonic()
            sink ^= grind(rounds)
            best = min(best, Double(Linux.Clock.monotonic() - before))
        }
        if sink == 1 { Report.note("-", "chance") }
        return Double(rounds) / max(1, best / 1000)
    }

    /// Never sleeps.
    static func hog(_ slot: Slot, piece: Int) {
        while true {
            grind(piece)
            slot.cpu = UInt64(clamping: Linux.Clock.threadCPU())
            slot.step()
        }
    }
}

/// Small files of /proc and /sys.
enum SystemText {
    @discardableResult
    static func write(_ text: String, to path: String) -> Bool {
        guard let file = try? Descriptor.open(path, O_WRONLY) else { return false }
        let bytes = Array(text.utf8)
        // SAFETY: the array has as many bytes as it says.
        return Glibc.write(file.raw, bytes, bytes.count) == bytes.count
    }

    /// Nanoseconds that each CPU was idle, in steps of 10 ms.
    static func idle() -> [Int: Double] {
        var result: [Int: Double] = [:]
        for line in ((try? TextFile.read("/proc/stat")) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 5, words[0].hasPrefix("cpu"), let cpu = Int(words[0].dropFirst(3)) else { continue }
            result[cpu] = ((Double(words[4]) ?? 0) + (Double(words[5]) ?? 0)) * 1e7
        }
        return result
    }

    /// How often each CPU became idle; needs kernel.sched_schedstats.
    static func idleEntries() -> [Int: Double] {
        var result: [Int: Double] = [:]
        for line in ((try? TextFile.read("/proc/schedstat", limit: 1 << 20)) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 5, words[0].hasPrefix("cpu"), let cpu = Int(words[0].dropFirst(3)) else { continue }
            result[cpu] = Double(words[4]) ?? 0
        }
        return result
    }

    /// Interrupts of these kinds so far, by CPU.
    static func interrupts(_ kinds: Set<String> = ["LOC", "RES", "CAL"]) -> [Int: Double] {
        var result: [Int: Double] = [:]
        let lines = ((try? TextFile.read("/proc/interrupts", limit: 1 << 20)) ?? "").split(separator: "\n")
        let cpus = (lines.first ?? "").split(separator: " ").compactMap { Int($0.dropFirst(3)) }
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            guard let kind = words.first?.dropLast(), kinds.contains(String(kind)) else { continue }
            for (cpu, word) in zip(cpus, words.dropFirst()) { result[cpu, default: 0] += Double(word) ?? 0 }
        }
        return result
    }
}

/// Numbers out of many.
enum Statistics {
    /// Of sorted values; 0 where there is none.
    static func percentile(_ sorted: [UInt64], _ share: Double) -> Double {
        guard let last = sorted.indices.last else { return 0 }
        return Double(sorted[min(last, Int(Double(sorted.count) * share))])
    }

    /// What the worst-off got of its due: the least of share/entitlement, at most 1.
    static func worstOff(_ got: [Double], entitled: [Double]) -> Double {
        let (all, due) = (got.reduce(0, +), entitled.reduce(0, +))
        guard all > 0, due > 0 else { return 0 }
        return min(1, zip(got, entitled).map { ($0 / all) / ($1 / due) }.min() ?? 0)
    }
}
