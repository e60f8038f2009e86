package import Model
package import SwiftProtobuf

/// Between schedcpd and a verifier: the same frames as on the daemon's socket, for programs without NIO, and over streams that know
/// no connections.
package enum VerifierFrame {
    /// What either side may send: an object or source, or a report with all its findings.
    package static let limit = 24 * 1024 * 1024
    /// A job lives as long as something is heard of it this often.
    package static let signOfLifeSeconds = 10

    package static func bytes(of message: some Message) throws(Failure) -> [UInt8] {
        let payload = try Frame.bytes(of: message)
        let length = UInt32(payload.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) } + payload
    }
}

/// A byte stream in which a session can begin anew at any point, whatever was sent before: that is what a virtio port or a serial
/// line is, which stays as it is when the program at either end starts again.
///
/// The byte 0xDB is sent as DB DD, and DB DF means: forget what came before. No content can say that.
package enum Stuffing {
    static let mark: UInt8 = 0xDB
    static let markItself: UInt8 = 0xDD
    static let restart: UInt8 = 0xDF

    package static let reset: [UInt8] = [mark, restart]

    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(mark) else { return bytes }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + bytes.count / 64)
        for byte in bytes {
            out.append(byte)
            if byte == mark { out.append(markItself) }
        }
        return out
    }
}

/// Cuts what comes into frames. It holds at most one frame, and refuses a longer one by its header.
package struct VerifierStreamDecoder: Sendable {
    package enum Piece: Hashable, Sendable {
        case frame([UInt8])
        /// A session begins; only with stuffing.
        case reset
    }

    private let isStuffed: Bool
    private let limit: Int
    private var held: [UInt8] = []
    private var start = 0
    private var sawMark = false
    /// Nothing counts until the next reset.
    private var isLost: Bool

    package init(isStuffed: Bool, limit: Int = VerifierFrame.limit) {
        self.isStuffed = isStuffed
        self.limit = limit
        isLost = isStuffed
    }

    /// Bytes of a frame that is not whole yet.
    package var unfinishedBytes: Int { held.count - start }

    /// Takes bytes and gives what they complete. Over a stuffed stream a mistake only loses what comes before the next reset;
    /// else it throws, and nothing more can be read.
    package mutating func decode(_ bytes: some Collection<UInt8>) throws(Failure) -> [Piece] {
        var pieces: [Piece] = []
        guard isStuffed else {
            held += bytes
            try cut(&pieces)
            return pieces
        }
        for byte in bytes {
            if sawMark {
                // Two marks in a row: what the first one belonged to was cut off.
                if byte == Stuffing.mark { isLost = true; continue }
                sawMark = false
                if byte == Stuffing.restart {
                    cutOrLose(&pieces)
                    forget()
                    isLost = false
                    pieces.append(.reset)
                } else if byte == Stuffing.markItself, !isLost {
                    held.append(Stuffing.mark)
                } else {
                    isLost = true
                }
            } else if byte == Stuffing.mark {
                sawMark = true
            } else if !isLost {
                held.append(byte)
                // The header alone tells of a frame that is too long, before memory is taken for it.
                if held.count - start == 4 { cutOrLose(&pieces) }
            }
        }
        cutOrLose(&pieces)
        return pieces
    }

    private mutating func cutOrLose(_ pieces: inout [Piece]) {
        guard !isLost else { return forget() }
        do throws(Failure) { try cut(&pieces) } catch {
            forget()
            isLost = true
        }
    }

    private mutating func forget() {
        held = []
        start = 0
    }

    private mutating func cut(_ pieces: inout [Piece]) throws(Failure) {
        while held.count - start >= 4 {
            let length = held[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
            guard length <= limit else {
                throw Failure(.frameTooLarge, "a frame of \(length) bytes is over the limit of \(limit)")
            }
            guard held.count - start >= 4 + length else { break }
            pieces.append(.frame(Array(held[(start + 4)..<(start + 4 + length)])))
            start += 4 + length
        }
        if start == held.count {
            held.removeAll(keepingCapacity: held.count < 1 << 16)
            start = 0
        } else if start > 1 << 16 {
            held.removeFirst(start)
            start = 0
        }
    }
}
