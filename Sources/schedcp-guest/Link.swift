import GuestProtocol
import Linux

/// The port, with what waits to be written to it and what was read of the next frame.
///
/// Output of commands is only read while ``hasRoom``, and messages of the host only while ``acceptsMore``, so the
/// waiting bytes stay below ``limit`` plus one answer.
struct Link: ~Copyable {
    static let limit = 1024 * 1024

    let port: Descriptor
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var decoder = FrameDecoder()

    init(port: consuming Descriptor) {
        self.port = port
        begin()
    }

    /// A fresh start with a new host.
    mutating func begin() {
        outgoing = Frame.preamble
        sent = 0
        decoder = FrameDecoder()
    }

    var waiting: Int { outgoing.count - sent }
    var hasRoom: Bool { waiting < Self.limit / 4 }
    var acceptsMore: Bool { waiting < Self.limit }

    mutating func send(_ message: Message) {
        // Only a text of our own could be too long for a frame, and those are cut where they are made.
        guard let frame = try? message.frame() else { return }
        if sent == outgoing.count {
            outgoing.removeAll(keepingCapacity: true)
            sent = 0
        }
        outgoing += frame.encoded
    }

    /// Writes what goes now.
    mutating func flush() throws(SystemError) {
        while sent < outgoing.count {
            guard case .done(let count) = try GuestStream.write(port.raw, outgoing[sent...]), count > 0 else {
                return
            }
            sent += count
        }
    }

    /// Reads once. False when the host has left.
    mutating func fill() throws(SystemError) -> Bool {
        switch try GuestStream.read(port.raw, limit: 64 * 1024) {
        case .done(let bytes): decoder.append(bytes)
        case .wait: break
        case .end: return false
        }
        return true
    }

    mutating func next() -> Frame? { decoder.next() }
}
