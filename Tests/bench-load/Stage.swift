import Glibc
import Linux

/// Where loads find shared memory, workers and clocks. A worker's words are on cache lines of its own.
final class Stage {
    static let workers = 192
    static let samples = 8192
    private static let header = 64
    private static let words = 32
    private enum Place {
        static let go = 0
        static let stop = 32
    }

    let cpus: [Int]
    /// How many rounds of ``Work/grind(_:)`` take a microsecond.
    let speed: Double
    /// Of the usual length of a load.
    var percent = 100
    private let memory: SharedWords
    private var processes: [Int32] = []
    private var group: Int32 = 0
    private var folders: [String] = []

    init() throws(SystemError) {
        cpus = TextFile.firstLine("/sys/devices/system/cpu/online").map(CPUList.parse) ?? [0]
        memory = try SharedWords(count: Self.header + Self.workers * (Self.words + Self.samples))
        speed = Work.measureSpeed()
    }

    var count: Int { processes.count }
    func slot(_ index: Int) -> Slot {
        Slot(
            memory: memory, start: Self.header + index * Self.words,
            samples: Self.header + Self.workers * Self.words + index * Self.samples)
    }

    /// How a worker begins.
    struct Manner {
        var nice: CInt = 0
        /// A folder below the cgroups' root.
        var cgroup: String?
    }

    /// Starts a process that waits for ``begin()`` and then runs `body`; it is ended by ``end()``, or ends itself.
    @discardableResult
    func worker(_ name: String, _ manner: Manner = Manner(), _ body: (Slot) -> Void) -> Int {
        let index = processes.count
        guard index < Self.workers else { return index }
        let slot = slot(index)
        let process = try? Worker.fork {
            setpgid(0, self.group)
            Worker.endWithParent()
            Worker.set(name: name)
            if let cgroup = manner.cgroup { SystemText.write("0", to: cgroup + "/cgroup.procs") }
            if manner.nice != 0 { Worker.set(nice: manner.nice) }
            slot.isReady = true
            while self.memory[Place.go] == 0 { Worker.pause(microseconds: 500) }
            slot.began = Work.now
            body(slot)
            slot.finished = Work.now
            return 0
        }
        guard let process else { return index }
        if group == 0 { group = process }
        setpgid(process, group)
        processes.append(process)
        return index
    }

    /// Makes a cgroup below the root and gives its path; it goes with ``end()``.
    func cgroup(_ name: String, weight: Int) -> String {
        let path = "/sys/fs/cgroup/" + name
        mkdir(path, 0o755)
        folders.append(path)
        SystemText.write("\(weight)", to: path + "/cpu.weight")
        return path
    }

    /// Lets all workers go at once.
    func begin() {
        for index in 0..<processes.count {
            for _ in 0..<2000 where !slot(index).isReady { Worker.pause(microseconds: 1000) }
        }
        memory[Place.go] = 1
    }

    /// What each worker did within a span of time.
    struct Span {
        var seconds: Double
        var pieces: [Double]
        /// Seconds of CPU time.
        var cpu: [Double]

        func pieces(_ range: Range<Int>) -> Double { pieces[range].reduce(0, +) }
        func cpu(_ range: Range<Int>) -> Double { cpu[range].reduce(0, +) }
    }

    /// Begins, lets things settle, and watches for so long.
    func watch(milliseconds: Int, settling: Int = 0, around: () -> Void = {}) -> Span {
        begin()
        Worker.pause(microseconds: 60_000 + 600 * percent + 1000 * settling)
        let start = Work.now
        let before = (0..<count).map { (slot($0).pieces, slot($0).cpu) }
        around()
        Worker.pause(microseconds: milliseconds * 10 * percent)
        let seconds = Double(Work.now - start) / 1e9
        let after = (0..<count).map { (slot($0).pieces, slot($0).cpu) }
        return Span(
            seconds: seconds, pieces: zip(after, before).map { Double($0.0 &- $1.0) },
            cpu: zip(after, before).map { Double($0.1 &- $1.1) / 1e9 })
    }

    /// Begins, and waits until every worker has ended itself; nil where that takes longer than `limit` seconds.
    /// Nanoseconds from the start.
    func waitForAll(limit: Int) -> [UInt64]? {
        let start = Work.now
        begin()
        for _ in 0..<limit * 500 {
            if (0..<count).allSatisfy({ slot($0).finished != 0 }) {
                return (0..<count).map { slot($0).finished - start }
            }
            Worker.pause(microseconds: 2000)
        }
        return nil
    }

    /// Ends everything and makes the memory as new.
    func end() {
        if group > 0 { kill(-group, SIGKILL) }
        for process in processes { Worker.wait(process) }
        var status: CInt = 0
        while waitpid(-1, &status, WNOHANG) > 0 {}
        for index in 0..<processes.count { slot(index).clear() }
        memory[Place.go] = 0
        processes = []
        group = 0
        for folder in folders.reversed() {
            for _ in 0..<200 where rmdir(folder) != 0 && errno == EBUSY { Worker.pause(microseconds: 5000) }
        }
        folders = []
    }

    /// All samples of these workers, sorted.
    func samples(_ range: Range<Int>) -> [UInt64] { range.flatMap { slot($0).noted() }.sorted() }
}

/// One worker's words.
struct Slot {
    fileprivate let memory: SharedWords
    fileprivate let start: Int
    fileprivate let samples: Int

    fileprivate func clear() { for index in 0..<12 { memory[start + index] = 0 } }

    var isReady: Bool {
        get { memory[start] != 0 }
        nonmutating set { memory[start] = newValue ? 1 : 0 }
    }
    var pieces: UInt64 {
        get { memory[start + 1] }
        nonmutating set { memory[start + 1] = newValue }
    }
    /// CPU time in nanoseconds.
    var cpu: UInt64 {
        get { memory[start + 2] }
        nonmutating set { memory[start + 2] = newValue }
    }
    var began: UInt64 {
        get { memory[start + 3] }
        nonmutating set { memory[start + 3] = newValue }
    }
    var finished: UInt64 {
        get { memory[start + 4] }
        nonmutating set { memory[start + 4] = newValue }
    }
    /// What another told it.
    var stamp: UInt64 {
        get { memory[start + 5] }
        nonmutating set { memory[start + 5] = newValue }
    }
    var missed: UInt64 {
        get { memory[start + 6] }
        nonmutating set { memory[start + 6] = newValue }
    }

    func step() { pieces += 1 }
    func note(_ value: UInt64) {
        let count = memory[start + 7]
        if count < UInt64(Stage.samples) {
            memory[samples + Int(count)] = value
            memory[start + 7] = count + 1
        }
    }
    fileprivate func noted() -> [UInt64] { (0..<Int(memory[start + 7])).map { memory[samples + $0] } }

    /// A futex.
    var call: UInt32 { memory.low(start + 8) }
    func wake(_ value: UInt32) { memory.wake(start + 8, value: value) }
    func sleep(while value: UInt32) { memory.sleep(start + 8, while: value, milliseconds: 1000) }
}
