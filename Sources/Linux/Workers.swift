import CLinux
import Glibc

/// Processes that are copies of this one, for the loads of a trial. The program has one thread, so that a copy may go on
/// in Swift.
package enum Worker {
    /// Starts a copy that runs `body` and ends with the status that it gives.
    package static func fork(_ body: () -> CInt) throws(SystemError) -> Int32 {
        let process = clinux_fork()
        if process == 0 { _exit(body()) }
        guard process > 0 else { throw SystemError("fork") }
        return process
    }

    /// waitpid(2) without waiting: the status once the process has ended; -1 where there is no such child.
    package static func collect(_ process: Int32) -> CInt? {
        var status: CInt = 0
        let result = waitpid(process, &status, WNOHANG)
        if result == 0 { return nil }
        return result > 0 ? status : -1
    }

    /// Waits for a child of the caller; for one that is traced also until it stops.
    package static func wait(_ process: Int32) {
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    }

    /// Waits until a traced process stops, for at most `milliseconds`.
    package static func waitForStop(_ process: Int32, milliseconds: Int) -> Bool {
        for _ in 0..<max(1, milliseconds) {
            var status: CInt = 0
            if waitpid(process, &status, WNOHANG | CInt(0x4000_0000)) > 0 { return status & 0xFF == 0x7F }
            usleep(1000)
        }
        return false
    }

    /// <sys/ptrace.h>, which is an enumeration of its own there.
    private enum TraceRequest {
        static let detach: CInt = 17
        static let seize: CInt = 0x4206
        static let interrupt: CInt = 0x4207
    }

    /// <linux/prctl.h>, which Glibc's module leaves out.
    private enum PrctlOption {
        static let setDeathSignal: CInt = 1
        static let setName: CInt = 15
        static let setChildSubreaper: CInt = 36
    }

    package enum Policy: CInt, Sendable {
        case normal = 0
        case fifo = 1
        case batch = 3
        case idle = 5
        case ext = 7
    }

    /// 0 is the caller. With `reset`, its children begin as ordinary tasks.
    @discardableResult
    package static func set(
        _ policy: Policy, priority: CInt = 0, of process: Int32 = 0, reset: Bool = false
    ) -> Bool {
        var parameters = sched_param()
        parameters.sched_priority = priority
        // SCHED_RESET_ON_FORK of include/uapi/linux/sched.h.
        // SAFETY: the structure is only read.
        return sched_setscheduler(process, policy.rawValue | (reset ? 0x4000_0000 : 0), &parameters) == 0
    }

    /// A bit for each CPU; 0 is the caller.
    @discardableResult
    package static func set(cpus: UInt64, of process: Int32 = 0) -> Bool { clinux_set_affinity(process, cpus) == 0 }

    @discardableResult
    package static func set(nice: CInt, of process: Int32 = 0) -> Bool {
        setpriority(CInt(PRIO_PROCESS.rawValue), id_t(process), nice) == 0
    }

    /// The name that the kernel shows, its first 15 bytes.
    package static func set(name: String) {
        // SAFETY: the kernel copies at most 16 bytes of the string.
        name.withCString { pointer in
            _ = clinux_prctl(PrctlOption.setName, UInt(bitPattern: pointer), 0)
        }
    }

    /// What it and its copies write goes nowhere.
    package static func silence() {
        let nowhere = open("/dev/null", O_RDWR)
        guard nowhere >= 0 else { return }
        for fd: CInt in 0...2 { dup2(nowhere, fd) }
        if nowhere > 2 { close(nowhere) }
    }

    /// Orphans below this process become its children.
    package static func adoptOrphans() { _ = clinux_prctl(PrctlOption.setChildSubreaper, 1, 0) }

    /// The process ends with its parent.
    package static func endWithParent() { _ = clinux_prctl(PrctlOption.setDeathSignal, UInt(SIGKILL), 0) }

    package static func trace(_ process: Int32) -> Bool { clinux_trace(TraceRequest.seize, process) == 0 }
    package static func interruptTraced(_ process: Int32) -> Bool { clinux_trace(TraceRequest.interrupt, process) == 0 }
    @discardableResult
    package static func release(_ process: Int32) -> Bool { clinux_trace(TraceRequest.detach, process) == 0 }

    /// Every CPU goes through its scheduler before this returns.
    package static func waitForAllCPUs() { _ = clinux_wait_for_all_cpus() }

    package static func pause(microseconds: Int) { usleep(useconds_t(clamping: microseconds)) }

    /// Replaces the program; returns only where that fails.
    package static func execute(_ arguments: [String]) {
        // SAFETY: the copies live until the program is replaced; where it is not, the process ends soon.
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        _ = execv(arguments.first ?? "", words)
    }
}

/// Zeroed words that this process and the copies that it makes later share. The memory stays until the process ends:
/// no copy may find it gone.
package struct SharedWords {
    // SAFETY: `count` words that are never unmapped; every index is checked, and each access is one atomic word.
    private let memory: UnsafeMutablePointer<UInt64>
    package let count: Int

    package init(count: Int) throws(SystemError) {
        let raw = mmap(nil, max(1, count) * 8, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        guard count > 0, let raw, raw != MAP_FAILED else { throw SystemError("mmap") }
        memory = raw.bindMemory(to: UInt64.self, capacity: count)
        self.count = count
    }

    /// An index out of range reads 0 and writes nothing.
    package subscript(index: Int) -> UInt64 {
        get { index >= 0 && index < count ? clinux_load(memory + index) : 0 }
        nonmutating set { if index >= 0 && index < count { clinux_store(memory + index, newValue) } }
    }

    /// The low half of a word as a futex: sets it and wakes one who waits for it.
    package func wake(_ index: Int, value: UInt32) {
        guard let word = half(index) else { return }
        _ = clinux_swap(word, value)
        _ = clinux_futex_wake(word, 1)
    }

    /// Sleeps while the low half of the word is `value`, for at most `milliseconds`.
    package func sleep(_ index: Int, while value: UInt32, milliseconds: Int) {
        guard let word = half(index) else { return }
        if clinux_load_word(word) == value { _ = clinux_futex_wait(word, value, Int64(milliseconds) * 1_000_000) }
    }

    package func low(_ index: Int) -> UInt32 { half(index).map { clinux_load_word($0) } ?? 0 }

    private func half(_ index: Int) -> UnsafeMutablePointer<UInt32>? {
        guard index >= 0, index < count else { return nil }
        // SAFETY: the first four bytes of an aligned word; little-endian or not, always the same four.
        return UnsafeMutableRawPointer(memory + index).assumingMemoryBound(to: UInt32.self)
    }
}
