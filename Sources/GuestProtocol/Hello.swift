/// The first message of each side, and the guest's answer to every hello of the host.
package struct Hello: Hashable, Sendable {
    /// What a guest offers beyond the connection itself.
    package struct Features: OptionSet, Hashable, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let commands = Features(rawValue: 1 << 0)
        package static let terminals = Features(rawValue: 1 << 1)
        package static let files = Features(rawValue: 1 << 2)
        /// Kept for the verifier's micro-VM: loading and measuring schedulers.
        package static let schedulers = Features(rawValue: 1 << 3)
    }

    /// The versions of ``GuestProtocol/versions`` that this side speaks.
    package var versions: ClosedRange<UInt16>
    /// Chosen at random by the host for each connection. When it changes, the guest ends what the last one began.
    package var session: UInt64
    package var features: Features
    /// The guest's `uname -r`; empty from the host.
    package var kernelRelease: String

    package init(
        versions: ClosedRange<UInt16> = GuestProtocol.versions, session: UInt64, features: Features = [],
        kernelRelease: String = ""
    ) {
        self.versions = versions
        self.session = session
        self.features = features
        self.kernelRelease = kernelRelease
    }

    func write(to writer: inout ByteWriter) {
        writer.integer(versions.lowerBound)
        writer.integer(versions.upperBound)
        writer.integer(session)
        writer.integer(features.rawValue)
        writer.string(kernelRelease)
    }

    /// What follows is of a later version and is ignored.
    init(from reader: inout ByteReader) throws(ProtocolError) {
        let lowest: UInt16 = try reader.integer()
        let highest: UInt16 = try reader.integer()
        guard lowest <= highest else { throw ProtocolError(.malformed, "versions \(lowest) to \(highest)") }
        versions = lowest...highest
        session = try reader.integer()
        features = Features(rawValue: try reader.integer())
        kernelRelease = try reader.string()
        _ = reader.remainder()
    }
}

/// Why a guest did not do what it was asked for.
package struct GuestFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: UInt16, CaseIterable, Sendable {
        /// The guest does not know the operation, or shares no version with the host.
        case unsupported = 1
        /// The message makes no sense, by itself or now.
        case badRequest = 2
        /// Too many commands and transfers at once.
        case busy = 3
        /// The system refused; the text has the reason.
        case system = 4
        /// The file is longer than allowed.
        case tooLarge = 5
        /// More data was sent than the window allows.
        case overrun = 6
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
