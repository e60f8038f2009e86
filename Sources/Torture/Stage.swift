import Glibc
package import Linux

/// The conductor's side of a load: it starts workers, disturbs them, and ends them. The conductor is a process of its own
/// in the real-time class, so that a system call that never returns under a faulty scheduler holds up nobody else.
package final class Stage {
    package let machine: Machine
    package let board: Board
    /// Every worker so far, in the order of their slots.
    package private(set) var workers: [Int32] = []
    /// What begins where another ended; counts the rounds of `disturb`.
    package private(set) var round = 0
    private var anchor: Int32 = 0
    private var randomState: UInt64 = 0x9E37_79B9_7F4A_7C15

    package init(machine: Machine, board: Board) {
        self.machine = machine
        self.board = board
    }

    package var cpuCount: Int { machine.cpus.count }

    /// How a worker begins.
    package struct Manner {
        package var nice: CInt = 0
        /// A bit for each CPU; nil for all.
        package var cpus: UInt64?
        package var policy: Worker.Policy = .normal
        package var priority: CInt = 0

        package init(nice: CInt = 0, cpus: UInt64? = nil, policy: Worker.Policy = .normal, priority: CInt = 0) {
            self.nice = nice
            self.cpus = cpus
            self.policy = policy
            self.priority = priority
        }
    }

    /// Starts a worker of a group (1 to 63), which the probe knows by its name. `body` does not return, or ends it.
    @discardableResult
    package func worker(_ group: Int, _ manner: Manner = Manner(), _ body: (Board.Slot) -> Void) -> Int32 {
        let index = board.slots
        guard index < Board.workers else { return 0 }
        board.slots = index + 1
        let slot = board.slot(index)
        slot.group = group
        let name = Self.name(ofGroup: group)
        let process = try? Worker.fork {
            setpgid(0, self.anchor)
            Worker.endWithParent()
            Worker.set(name: name)
            var policy = manner.policy
            if policy == .normal, self.machine.onlyExtPolicy { policy = .ext }
            // The conductor keeps to the first CPU, so as not to call the others out of their idleness.
            Worker.set(cpus: manner.cpus ?? self.machine.allCPUs)
            if manner.nice != 0 { Worker.set(nice: manner.nice) }
            if policy != .normal { Worker.set(policy, priority: manner.priority) }
            body(slot)
            return 0
        }
        guard let process else {
            board.failedForks += 1
            board.slots = index
            return 0
        }
        setpgid(process, anchor)
        workers.append(process)
        return process
    }

    /// "~" and one character, as bpf/probes/runqueue.bpf.c reads it.
    package static func name(ofGroup group: Int) -> String {
        let letter = Unicode.Scalar(UInt8(truncatingIfNeeded: 0x30 + group % 64))
        return "~" + String(Character(letter))
    }

    /// Lets workers that wait at ``Work/gate()`` go, also those that come to it only now.
    package func openGate() { kill(-anchor, SIGCONT) }

    /// A number below `limit`: the same ones in every run.
    package func random(below limit: Int) -> Int {
        randomState = randomState &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return limit > 0 ? Int(randomState >> 33) % limit : 0
    }

    /// Runs a load from its start to its end; the conductor's whole life.
    package func conduct(_ load: any Load) -> CInt {
        Worker.adoptOrphans()
        // Everything of this load is one process group, which the anchor keeps in being.
        guard
            let anchor = try? Worker.fork({
                setpgid(0, 0)
                Worker.endWithParent()
                Worker.set(.fifo, priority: 1)
                while true { Worker.pause(microseconds: 500_000) }
            })
        else { return 1 }
        self.anchor = anchor
        setpgid(anchor, anchor)
        load.start(self)
        board.phase = .running
        while !board.isStopped {
            Worker.pause(microseconds: load.interval)
            if board.isStopped { break }
            if !board.isCalm || load.isNeededToTheEnd { load.disturb(self) }
            round += 1
            reap()
        }
        board.phase = .stopping
        load.stop(self)
        kill(-anchor, SIGKILL)
        while !board.hasGivenUp, reap() { Worker.pause(microseconds: 2000) }
        load.cleanUp(self)
        board.phase = .over
        return 0
    }

    /// Collects children that have ended; false when there is none left.
    @discardableResult
    private func reap() -> Bool {
        var status: CInt = 0
        while true {
            let ended = waitpid(-1, &status, WNOHANG)
            if ended == 0 { return true }
            if ended < 0 { return errno == EINTR }
        }
    }
}
