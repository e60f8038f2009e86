import Glibc
import Linux

/// What workers do. None of these returns, except where it says so.
enum Work {
    /// Busy for about this long, by the clock; returns.
    static func spin(microseconds: Int) {
        let end = Linux.Clock.monotonic() + Int64(microseconds) * 1000
        while Linux.Clock.monotonic() < end {}
    }

    /// Busy for this much of its own CPU time; returns.
    static func burn(microseconds: Int) {
        let end = Linux.Clock.threadCPU() + Int64(microseconds) * 1000
        while Linux.Clock.threadCPU() < end {}
    }

    /// Waits until the load opens the gate; returns.
    static func gate() { raise(SIGSTOP) }

    /// Never sleeps.
    static func hog(_ slot: Board.Slot) -> Never {
        while true {
            spin(microseconds: 500)
            slot.cpuTime = UInt64(clamping: Linux.Clock.threadCPU())
            slot.step()
        }
    }

    /// Sleeps, works a little, sleeps again; notes how late it woke.
    static func sleeper(_ slot: Board.Slot, sleep: Int, work: Int) -> Never {
        while true {
            let before = Linux.Clock.monotonic()
            Worker.pause(microseconds: sleep)
            let late = Linux.Clock.monotonic() - before - Int64(sleep) * 1000
            if late > 0, UInt64(late) > slot.latest { slot.latest = UInt64(late) }
            if work > 0 { spin(microseconds: work) }
            slot.step()
        }
    }

    static func yielder(_ slot: Board.Slot) -> Never {
        while true {
            sched_yield()
            slot.step()
        }
    }

    /// Makes children that do a little and end, one after the other.
    static func forker(_ slot: Board.Slot, _ board: Board, work: Int) -> Never {
        while true {
            if child(work: work) { slot.step() } else { board.failedForks += 1 }
        }
    }

    /// Makes a child and works beside it, so that both could run if there are two CPUs.
    static func parent(_ slot: Board.Slot, own: Int, childs: Int) -> Never {
        while true {
            let process = try? Worker.fork {
                spin(microseconds: childs)
                return 0
            }
            spin(microseconds: own)
            if let process { Worker.wait(process) }
            slot.step()
        }
    }

    /// One child, from its start to its end; returns, false where the kernel refuses it.
    static func child(work: Int) -> Bool {
        let process = try? Worker.fork {
            if work > 0 { spin(microseconds: work) }
            return 0
        }
        guard let process else {
            Worker.pause(microseconds: 1000)
            return false
        }
        Worker.wait(process)
        return true
    }

    /// Makes children that become another program.
    static func executor(_ slot: Board.Slot) -> Never {
        while true {
            let process = try? Worker.fork {
                Worker.execute(["/proc/self/exe", "trial", "nothing"])
                return 127
            }
            if let process { Worker.wait(process) } else { Worker.pause(microseconds: 1000) }
            slot.step()
        }
    }

    /// Reads from one pipe and writes to the other, a byte at a time.
    static func echo(_ slot: Board.Slot, from reader: CInt, to writer: CInt, begins: Bool) -> Never {
        var byte: UInt8 = 1
        // SAFETY: one byte from and to a variable of one.
        if begins { _ = write(writer, &byte, 1) }
        while true {
            let got = read(reader, &byte, 1)
            if got == 1 {
                _ = write(writer, &byte, 1)
                slot.step()
            } else if got == 0 {
                pause()
            }
        }
    }

    /// Wakes its partner by a futex and waits to be woken, in turn.
    static func tapper(_ mine: Board.Slot, _ shared: Board.Slot, side: Int) -> Never {
        var turn: UInt32 = 0
        while true {
            turn &+= 1
            shared.wake(1 - side, turn)
            let seen = shared.low(side)
            if seen < turn { shared.sleep(side, while: seen, milliseconds: 50) }
            mine.step()
        }
    }

    /// Makes the kernel run work on every CPU and waits for it: the workqueues' own threads must get there.
    static func kernelWork(_ slot: Board.Slot) -> Never {
        while true {
            SystemFile.write("1", to: "/proc/sys/vm/stat_refresh")
            slot.step()
            Worker.waitForAllCPUs()
            slot.step()
            Worker.pause(microseconds: 2000)
        }
    }
}
