package import Model

/// How many messages are nested in one from a verifier or a client, found before it is decoded: a few bytes of a frame can stand for a
/// message that takes hundreds of bytes of memory.
package enum MessageCount {
    /// Of everything that an honest verifier has to say.
    package static let most = 60_000
    /// Of everything that an honest client asks for.
    package static let mostOfRequest = 10_000

    /// The messages that a message holds, by the number of their field.
    private indirect enum Shape {
        case message([Int: Shape])
        static let leaf = Shape.message([:])
    }

    private static let finding = Shape.message([5: .leaf, 7: .message([1: .leaf])])
    private static let stage = Shape.message([4: finding, 5: .leaf, 6: .leaf])
    private static let report = Shape.message([3: .leaf, 4: stage, 6: .leaf, 7: .leaf, 9: .leaf])
    private static let response = Shape.message([
        1: .message([5: .leaf]), 2: .message([2: .message([2: stage, 3: finding])]),
        3: .message([2: .leaf, 3: report]), 4: .leaf,
    ])

    private static let outcome = Shape.message([4: .leaf, 5: .message([2: .leaf]), 6: .leaf])
    private static let request = Shape.message([
        9: .message([3: .leaf, 4: .leaf]), 14: .message([3: .leaf, 4: .leaf]),
        23: .message([3: .leaf, 4: .leaf, 5: .leaf]),
        24: .message([2: .message([2: .leaf]), 3: .leaf, 5: .leaf]), 25: .message([1: .leaf]), 28: .message([1: .leaf]),
        29: .message([1: outcome]), 30: .message([2: .leaf, 3: .leaf]), 31: .message([1: .leaf, 3: .leaf]),
        33: .message([2: .leaf, 3: .leaf, 4: .leaf, 5: .message([1: .leaf, 2: .leaf])]),
    ])

    /// Throws where a `Request` holds more messages than `mostOfRequest`, or is none.
    package static func check(request payload: [UInt8]) throws(Failure) {
        var left = mostOfRequest
        guard walk(payload[...], request, &left) else {
            throw Failure(
                .malformed, "the frame is not a valid message, or holds more than \(mostOfRequest) messages")
        }
    }

    /// Throws where a `VerifierResponse` holds more messages than `most`, or is none.
    package static func check(_ payload: [UInt8], most: Int = most) throws(Failure) {
        var left = most
        guard walk(payload[...], response, &left) else {
            throw Failure(.malformed, "the frame is not a valid message, or holds more than \(most) messages")
        }
    }

    private static func walk(_ bytes: ArraySlice<UInt8>, _ shape: Shape, _ left: inout Int) -> Bool {
        guard case .message(let fields) = shape else { return false }
        left -= 1
        var rest = bytes
        while !rest.isEmpty {
            guard left > 0, let tag = varint(&rest) else { return false }
            switch tag & 7 {
            case 0: guard varint(&rest) != nil else { return false }
            case 1: guard rest.count >= 8 else { return false }; rest = rest.dropFirst(8)
            case 5: guard rest.count >= 4 else { return false }; rest = rest.dropFirst(4)
            case 2:
                guard let length = varint(&rest), length <= UInt64(rest.count) else { return false }
                let inner = rest.prefix(Int(length))
                rest = rest.dropFirst(Int(length))
                if let shape = fields[Int(truncatingIfNeeded: tag >> 3)] {
                    guard walk(inner, shape, &left) else { return false }
                }
            default: return false
            }
        }
        return true
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
