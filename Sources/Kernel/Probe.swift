import CLibBPF
import Glibc
import Linux
package import Model

/// bpf/probes/runqueue.bpf.c, loaded and attached: what any scheduler does to the tasks of this machine. Needs root.
package struct RunqueueProbe: ~Copyable {
    /// As the installation and the trial's initial file system have it.
    package static let path = "/usr/lib/schedcp/probes/runqueue.bpf.o"

    private let handle: ObjectHandle
    // SAFETY: links of libbpf, destroyed once in deinit; the programs that they hold live as long as `handle`.
    private let links: [OpaquePointer]
    // SAFETY: the object's .bss; all places in it were checked when it was opened.
    private let memory: UnsafeMutableRawPointer
    private let places: Places
    private let tasks: CInt

    /// Loads the probe into the running kernel and attaches it.
    package static func start(_ bytes: [UInt8]) throws(Failure) -> RunqueueProbe {
        let handle = try ObjectHandle.openProbe(bytes, name: "runqueue")
        guard let places = Places(object: handle.raw) else {
            throw Failure(
                .malformedObject, "the probe's variables do not lie as this program knows them",
                hint: "the program and the probe are of two versions; install both again")
        }
        try handle.loadProbe()
        return try attach(handle, places)
    }

    private static func attach(_ handle: consuming ObjectHandle, _ places: Places) throws(Failure) -> RunqueueProbe {
        guard let map = handle.map(named: "tasks"), bpf_map__value_size(map) == TaskLayout.size,
            let section = handle.section(".bss"),
            Int(bpf_map__value_size(section)) >= places.end
        else { throw Failure(.malformedObject, "the probe has not the maps that this program reads") }
        // SAFETY: the map's own pages, shared with the kernel; unmapped in deinit, or when the process ends.
        let memory = mmap(nil, places.end, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(section), 0)
        guard let memory, memory != MAP_FAILED else {
            throw Failure(.internal, "the probe's figures cannot be mapped: \(SystemError("mmap").reason)")
        }
        let links = try handle.attachPrograms(of: BPF_PROG_TYPE_TRACING)
        return RunqueueProbe(
            handle: handle, links: links, memory: memory, places: places, tasks: bpf_map__fd(map))
    }

    // SAFETY: the map's pages, as `attach` has mapped them.
    private init(
        handle: consuming ObjectHandle, links: [OpaquePointer], memory: UnsafeMutableRawPointer, places: Places,
        tasks: CInt
    ) {
        self.handle = handle
        self.links = links
        self.memory = memory
        self.places = places
        self.tasks = tasks
    }

    deinit {
        links.forEach { _ = bpf_link__destroy($0) }
        munmap(memory, places.end)
    }

    /// Counts only tasks of SCHED_EXT: where a scheduler takes no others, they are the only ones to judge it by.
    package borrowing func countOnlyExtPolicy(_ only: Bool) {
        memory.storeBytes(of: only ? 1 : 0, toByteOffset: places.onlyExtPolicy, as: UInt32.self)
    }

    /// Forgets what was counted. Waits that last go on.
    package borrowing func clear() {
        // SAFETY: the groups lie inside the memory. A count that is made meanwhile may be lost.
        memset(memory + places.groups, 0, GroupLayout.size * GroupLayout.count)
    }

    /// The groups that waited at all.
    package borrowing func figures() -> [WaitFigures] {
        (0..<GroupLayout.count).compactMap { group in
            let start = places.groups + group * GroupLayout.size
            let waits = word(start)
            guard waits > 0 else { return nil }
            return WaitFigures(
                group: group, waits: waits, total: word(start + 8), longest: word(start + 16),
                longestProcess: Int32(truncatingIfNeeded: word(start + 24)), idleTotal: word(start + 32),
                idleLongest: word(start + 40),
                buckets: (0..<GroupLayout.buckets).map { word(start + 48 + 8 * $0) })
        }
    }

    /// Nanoseconds for which each CPU had nothing to do since the probe began; `now` on the monotonic clock.
    package borrowing func idleTimes(now: Int64) -> [UInt64] {
        (0..<TaskLayout.cpus).map { cpu in
            let since = word(places.cpus + 16 * cpu)
            let total = word(places.cpus + 16 * cpu + 8)
            let now = UInt64(clamping: now)
            return total + (since > 0 && now > since ? now - since : 0)
        }
    }

    // SAFETY: every place lies inside the memory, aligned to 8; the kernel's CPUs write to it meanwhile, one word at once.
    private borrowing func word(_ place: Int) -> UInt64 { memory.load(fromByteOffset: place, as: UInt64.self) }

    /// The tasks that wait now, the longest first.
    package borrowing func waiting() -> [WaitingTask] {
        let capacity = 2048
        var result: [WaitingTask] = []
        var keys = [UInt32](repeating: 0, count: capacity)
        var values = [UInt8](repeating: 0, count: capacity * TaskLayout.size)
        var place: UInt32 = 0
        var isFirst = true
        while true {
            var count = UInt32(capacity)
            var next: UInt32 = 0
            // SAFETY: the buffers hold `count` keys and values of the map's sizes; a place in a hash map is 4 bytes.
            let failed = withUnsafeMutablePointer(to: &place) { last in
                bpf_map_lookup_batch(tasks, isFirst ? nil : last, &next, &keys, &values, &count, nil)
            }
            let error = failed == 0 ? 0 : errno
            guard error == 0 || error == ENOENT else { break }
            let now = Linux.Clock.monotonic()
            let idle = idleTimes(now: now)
            for index in 0..<min(Int(count), capacity) {
                let start = index * TaskLayout.size
                let bytes = values[start..<(start + TaskLayout.size)]
                if let task = TaskLayout.decode(Array(bytes), now: UInt64(clamping: now), idle: idle) {
                    result.append(task)
                }
            }
            if error == ENOENT { break }
            place = next
            isFirst = false
        }
        return result.sorted { $0.waited > $1.waited }
    }

    /// Where the variables lie in .bss.
    private struct Places {
        let groups: Int
        let cpus: Int
        let onlyExtPolicy: Int
        let end: Int

        init?(object: OpaquePointer) {
            guard let types = TypeTable(object: object) else { return nil }
            let variables = types.variables(inSection: ".bss")
            func place(_ name: String, size: Int) -> Int? {
                variables.first { $0.name == name && $0.size == size && $0.offset >= 0 }?.offset
            }
            guard let groups = place("groups", size: GroupLayout.size * GroupLayout.count),
                let cpus = place("cpus", size: 16 * TaskLayout.cpus),
                let onlyExtPolicy = place("only_ext_policy", size: 4), groups % 8 == 0, cpus % 8 == 0
            else { return nil }
            self.groups = groups
            self.cpus = cpus
            self.onlyExtPolicy = onlyExtPolicy
            end = max(
                groups + GroupLayout.size * GroupLayout.count, cpus + 16 * TaskLayout.cpus, onlyExtPolicy + 4)
        }
    }
}

/// `struct group_stats` of the probe.
private enum GroupLayout {
    static let count = 64
    static let buckets = 32
    static let size = 6 * 8 + buckets * 8
}

/// `struct task_record` of the probe.
enum TaskLayout {
    static let cpus = 16
    static let size = 3 * 8 + 4 * 4 + 16 + cpus * 8

    /// nil for a task that does not wait.
    static func decode(_ bytes: [UInt8], now: UInt64, idle: [UInt64]) -> WaitingTask? {
        guard bytes.count >= size else { return nil }
        func word(_ at: Int, _ length: Int = 8) -> UInt64 { LittleEndian.number(bytes, at: at, size: length) }
        let since = word(0)
        guard since > 0, now > since else { return nil }
        let mask = word(16)
        let beside = (0..<cpus).filter { mask >> UInt64($0) & 1 == 1 }.map { cpu -> UInt64 in
            let before = word(56 + 8 * cpu)
            return idle.count > cpu && idle[cpu] > before ? idle[cpu] - before : 0
        }
        return WaitingTask(
            process: Int32(truncatingIfNeeded: word(24, 4)),
            name: String(decoding: bytes[40..<56].prefix { $0 != 0 }, as: UTF8.self), group: Int(word(28, 4)),
            nice: Int(word(32, 4)) - 120, policy: UInt32(truncatingIfNeeded: word(36, 4)), cpus: mask,
            runs: word(8), waited: now - since, idleBeside: min(beside.max() ?? 0, now - since))
    }
}
