import Linux

/// The lines of a file, one after the other, in a bounded amount of memory.
final class LineReader {
    struct Line {
        /// Without its line end; of a line that is too long, what fitted.
        var bytes: ArraySlice<UInt8>
        /// From 1.
        let number: Int
        /// Whether it has a line end.
        let isWhole: Bool
        let isTooLong: Bool
    }

    private static let chunk = 64 * 1024

    private let file: Descriptor
    private var buffer: [UInt8] = []
    private var used = 0
    private var offset = 0
    private var number = 0

    init(_ file: consuming Descriptor) { self.file = file }

    /// nil at the end of the file.
    func next() throws(SystemError) -> Line? {
        var looked = used
        while true {
            if let newline = buffer[looked...].firstIndex(of: 10) { return take(upTo: newline, isWhole: true) }
            if buffer.count - used > RecordEncoder.lineLimit { return try skip() }
            looked = buffer.count
            let bytes = try file.read(at: .init(offset), limit: Self.chunk)
            offset += bytes.count
            if bytes.isEmpty { return buffer.count > used ? take(upTo: buffer.count, isWhole: false) : nil }
            buffer.removeFirst(used)
            looked -= used
            used = 0
            buffer += bytes
        }
    }

    private func take(upTo end: Int, isWhole: Bool) -> Line {
        number += 1
        let line = buffer[used..<end]
        used = min(end + 1, buffer.count)
        return Line(bytes: line, number: number, isWhole: isWhole, isTooLong: line.count > RecordEncoder.lineLimit)
    }

    /// Past a line that is too long.
    private func skip() throws(SystemError) -> Line {
        number += 1
        let line = buffer[used...]
        while true {
            if let newline = buffer[used...].firstIndex(of: 10) {
                used = newline + 1
                return Line(bytes: line, number: number, isWhole: true, isTooLong: true)
            }
            buffer = try file.read(at: .init(offset), limit: Self.chunk)
            (used, offset) = (0, offset + buffer.count)
            if buffer.isEmpty { return Line(bytes: line, number: number, isWhole: false, isTooLong: true) }
        }
    }
}
