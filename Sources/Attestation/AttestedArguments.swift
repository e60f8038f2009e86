package import Model

/// The parameters and hints that an artifact was verified with, in one order: how they were given does not matter.
///
/// Two are the same when their digests are; Swift's `==` of texts would take different spellings of one letter as equal.
package struct AttestedArguments: Hashable, Sendable {
    package static let maxParameters = 256
    package static let maxHints = 1024
    package static let maxNameBytes = 128
    package static let maxValueBytes = 256

    package let parameters: [Setting]
    package let hints: [Hint]

    /// Refuses what is given twice, because which of the two counts would depend on the order.
    package init(parameters: [Setting] = [], hints: [Hint] = []) throws(Failure) {
        guard parameters.count <= Self.maxParameters, hints.count <= Self.maxHints else {
            throw Failure(
                .tooMany, "\(parameters.count) parameters and \(hints.count) hints are too many for an attestation",
                hint: "at most \(Self.maxParameters) and \(Self.maxHints)")
        }
        for setting in parameters {
            let name = setting.name.utf8.count
            guard (1...Self.maxNameBytes).contains(name), setting.value.utf8.count <= Self.maxValueBytes else {
                throw Failure(
                    .invalidArgument,
                    "the name or the value of parameter \(setting.name.quotedForDisplay()) is too long",
                    hint: "at most \(Self.maxNameBytes) and \(Self.maxValueBytes) bytes")
            }
        }
        self.parameters = parameters.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.hints = hints.sorted { Self.sortKey($0).lexicographicallyPrecedes(Self.sortKey($1)) }
        for (one, two) in zip(self.parameters, self.parameters.dropFirst())
        where one.name.utf8.elementsEqual(two.name.utf8) {
            throw Self.twice("parameter", one.name)
        }
        for (one, two) in zip(self.hints, self.hints.dropFirst()) where Self.sortKey(one) == Self.sortKey(two) {
            throw Self.twice("hint", one.key)
        }
    }

    private static func sortKey(_ hint: Hint) -> [UInt8] { Array(hint.kind.rawValue.utf8) + [0] + Array(hint.key.utf8) }

    private static func twice(_ what: String, _ name: String) -> Failure {
        Failure(.invalidArgument, "the \(what) \(name.quotedForDisplay()) is given twice", hint: "give it once")
    }

    /// SHA-256 of an encoding that can be read in one way only: every count and every text with its length before it
    /// (64 bits, big-endian), texts in UTF-8.
    package var digest: String { Hex.sha256(canonical) }

    private var canonical: [UInt8] {
        var out = Self.encoded("schedcp-arguments-v1")
        out += Self.encoded(UInt64(parameters.count))
        for setting in parameters { out += Self.encoded(setting.name) + Self.encoded(setting.value) }
        out += Self.encoded(UInt64(hints.count))
        for hint in hints {
            out += Self.encoded(hint.kind.rawValue) + Self.encoded(hint.key) + Self.encoded(hint.nanoseconds)
        }
        return out
    }

    private static func encoded(_ text: String) -> [UInt8] { encoded(UInt64(text.utf8.count)) + Array(text.utf8) }

    private static func encoded(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }
}
