// GuestProtocol: what a host and the agent in a virtual machine say to each other over a virtio-serial port, which is a
// byte stream without connections: a reader may join in the middle, after boot noise, or after the other side has died
// within a frame. Values and coders only; no input or output, no clock, no state shared between threads. Both ends are
// hostile to each other: every length is bounded before memory is taken, and nothing here traps on any input.

/// The numbers both ends agree on.
package enum GuestProtocol {
    /// The versions of the messages that this code speaks; the higher one that both sides know is used.
    package static let versions: ClosedRange<UInt16> = 1...1

    /// The virtio-serial port's name.
    package static let portName = "org.schedcp.guest"

    /// The longest payload of a frame, bytes.
    package static let maximumPayload = 64 * 1024

    /// The most data bytes that one message carries.
    package static let maximumChunk = 32 * 1024

    /// How many data bytes one side may send on a channel, in one direction, before the other side has said with
    /// ``Message/credit(channel:count:)`` that it has consumed some.
    package static let window = 256 * 1024

    /// The most commands and file transfers that a guest serves at once.
    package static let maximumChannels = 256

    /// The version to speak with a peer that knows `theirs`; nil when there is none.
    package static func version(with theirs: ClosedRange<UInt16>) -> UInt16? {
        let common = min(versions.upperBound, theirs.upperBound)
        return versions.contains(common) && theirs.contains(common) ? common : nil
    }
}

/// Bytes that are not what they should be.
package struct ProtocolError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// The payload ends too early, goes on too long, or holds a value out of its range.
        case malformed
        /// An operation that this version does not know.
        case unknownOperation
        /// More bytes than a frame can carry.
        case tooLong
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
