import Glibc
import Linux
package import Model

/// /sys/kernel/sched_ext: what the kernel says of its scheduler. Any thread may read; nothing is cached but the open
/// files, and each reading asks the kernel anew.
package final class SchedExt: Sendable {
    private let folder: String
    private let files: Files?

    private struct Files: Sendable {
        let state: SharedDescriptor
        let enableSequence: SharedDescriptor
        let rejected: SharedDescriptor
        let switchAll: SharedDescriptor
    }

    /// - Parameter folder: another one only in tests.
    package init(folder: String = "/sys/kernel/sched_ext") {
        self.folder = folder
        do {
            func file(_ name: String) throws(SystemError) -> SharedDescriptor {
                SharedDescriptor(try .open("\(folder)/\(name)"))
            }
            files = Files(
                state: try file("state"), enableSequence: try file("enable_seq"), rejected: try file("nr_rejected"),
                switchAll: try file("switch_all"))
        } catch {
            // A kernel cannot gain sched_ext while it runs.
            files = nil
        }
    }

    package var isSupported: Bool { files != nil }

    /// One reading. The sequence number is read before and after: when it moved meanwhile, the rest may belong to two
    /// schedulers, and it is read again.
    package func read() -> KernelState {
        if files == nil { return KernelState(supported: false) }
        var state = readOnce()
        for _ in 0..<8 {
            let again = number(files?.enableSequence.raw)
            if again == state.enableSequence { break }
            state = readOnce()
        }
        return state
    }

    private func readOnce() -> KernelState {
        let sequence = number(files?.enableSequence.raw)
        let state = line(files?.state.raw)
        let occupied = state != "disabled"
        return KernelState(
            supported: true, state: state,
            ops: occupied ? TextFile.firstLine(folder + "/root/ops") ?? "" : "",
            enableSequence: sequence, rejected: number(files?.rejected.raw),
            switchAll: line(files?.switchAll.raw) == "1")
    }

    private func number(_ fd: CInt?) -> UInt64 { UInt64(line(fd)) ?? 0 }

    private func line(_ fd: CInt?) -> String {
        guard let fd else { return "" }
        return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { buffer in
            // SAFETY: at most 128 bytes are written into the buffer, and only those are read.
            let count = pread(fd, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return "" }
            return String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
    }

    /// The kernel's counters of the loaded scheduler (`root/events`), as the kernel prints them; empty when none is loaded.
    package func events() -> String { (try? TextFile.read(folder + "/root/events")) ?? "" }
}
