/// MAJOR.MINOR.PATCH, without pre-release or build parts.
package struct SemanticVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let major: UInt32
    package let minor: UInt32
    package let patch: UInt32

    package init(_ major: UInt32, _ minor: UInt32, _ patch: UInt32) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    package init(_ text: String) throws(Failure) {
        let parts = text.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        let numbers = parts.compactMap(Self.number)
        guard parts.count == 3, numbers.count == 3 else {
            throw Failure(
                .invalidArgument, "\(text.quotedForDisplay()) is not a version", hint: "a version is as 1.0.12")
        }
        self.init(numbers[0], numbers[1], numbers[2])
    }

    /// Digits without a leading zero, so that one version has one spelling.
    private static func number(_ text: Substring) -> UInt32? {
        guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
            text.utf8.count == 1 || !text.hasPrefix("0")
        else { return nil }
        return UInt32(text)
    }

    package static func < (a: Self, b: Self) -> Bool {
        (a.major, a.minor, a.patch) < (b.major, b.minor, b.patch)
    }

    package var description: String { "\(major).\(minor).\(patch)" }
}

/// One version of one entry of the repository, written `fifo@1.0.0`.
package struct EntryKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let name: SchedulerName
    package let version: SemanticVersion

    package init(_ name: SchedulerName, _ version: SemanticVersion) {
        self.name = name
        self.version = version
    }

    package init(_ text: String) throws(Failure) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw Failure(
                .invalidArgument, "\(text.quotedForDisplay()) does not name a version of an entry",
                hint: "as fifo@1.0.0")
        }
        self.init(try SchedulerName(String(parts[0])), try SemanticVersion(String(parts[1])))
    }

    package static func < (a: Self, b: Self) -> Bool { (a.name.text, a.version) < (b.name.text, b.version) }

    package var description: String { "\(name)@\(version)" }
}

/// The part of a kernel's release that is compared: "6.12.3-cloud" is 6.12.3.
package struct KernelRelease: Hashable, Comparable, Sendable {
    package let numbers: [UInt32]

    /// nil unless it begins with at least MAJOR.MINOR.
    package init?(_ text: String) {
        let leading = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let numbers = leading.split(separator: ".").prefix(3).compactMap { UInt32($0) }
        guard numbers.count >= 2, text.utf8.count <= 128 else { return nil }
        self.numbers = numbers
    }

    package static func < (a: Self, b: Self) -> Bool {
        for index in 0..<3 {
            let (left, right) = (
                index < a.numbers.count ? a.numbers[index] : 0, index < b.numbers.count ? b.numbers[index] : 0
            )
            if left != right { return left < right }
        }
        return false
    }

    /// Ordered as releases are: for a column of a database.
    package var order: Int64 {
        (0..<3).reduce(0) { $0 << 20 | ($1 < numbers.count ? Int64(min(numbers[$1], 0xFFFFF)) : 0) }
    }
}
