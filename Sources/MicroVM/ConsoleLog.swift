import Linux
import Synchronization

/// A machine's console: its end in memory, and the beginning of it in a file where one is wanted.
package final class ConsoleLog: Sendable {
    private struct State {
        var ring: [UInt8] = []
        var total = 0
        var written = 0
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let file: SharedDescriptor?

    init(capacity: Int = MicroVMDefaults.consoleTail, file path: String? = nil) throws(MachineError) {
        self.capacity = capacity
        do throws(SystemError) {
            file = try path.map { path throws(SystemError) in SharedDescriptor(try HostFile.create(path)) }
        } catch {
            throw MachineError(.system, error.description)
        }
    }

    func append(_ bytes: [UInt8]) {
        let part = state.withLock { state -> ArraySlice<UInt8> in
            state.total += bytes.count
            state.ring += bytes
            // Cut rarely, so that a byte is moved about once.
            if state.ring.count > capacity * 2 { state.ring.removeFirst(state.ring.count - capacity) }
            let room = MicroVMDefaults.consoleFile - state.written
            let part = bytes.prefix(max(0, room))
            state.written += part.count
            return part
        }
        // A console file that cannot be written is no reason to stop a machine.
        if let file, !part.isEmpty { try? HostFile.write(part, to: file.raw) }
    }

    /// Bytes seen so far, also those no longer kept.
    package var total: Int { state.withLock { $0.total } }

    /// What is kept, as text without the codes that move a terminal's cursor.
    package var text: String {
        let bytes = state.withLock { Array($0.ring.suffix(capacity)) }
        return Self.plain(bytes)
    }

    /// The last lines that are not empty. A kernel's panic is long, and what it is about is said first: its lines are
    /// given from the first on.
    package func tail(_ count: Int = 12) -> [String] {
        let lines = text.split(separator: "\n").map { line in String(line.drop { $0 == " " }) }.filter { !$0.isEmpty }
        if let panic = lines.lastIndex(where: { $0.contains("Kernel panic - not syncing:") }), lines.count - panic < 80
        {
            return Array(lines[panic...].prefix(max(count, 24)))
        }
        return lines.suffix(count)
    }

    /// Text without escape sequences, carriage returns and other controls.
    static func plain(_ bytes: [UInt8]) -> String {
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == 0x1B {
                guard index < bytes.count, bytes[index] == 0x5B || bytes[index] == 0x5D else { continue }
                let isCommand = bytes[index] == 0x5D
                index += 1
                // CSI ends with a letter or sign from @ to ~, OSC with BEL or ESC \.
                while index < bytes.count {
                    let next = bytes[index]
                    index += 1
                    if isCommand ? (next == 0x07 || next == 0x5C) : (0x40...0x7E).contains(next) { break }
                }
            } else if byte == 0x0A || byte == 0x09 || byte >= 0x20 && byte != 0x7F {
                kept.append(byte)
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
