/// A key that means something to `schedctl top`.
enum TopKey: Hashable, Sendable {
    case quit, pause, refresh, redraw, longer, shorter, help, next, previous, pane(Int)
    case up, down, pageUp, pageDown, home, end
}

/// Cuts what a terminal sends into keys, also where a key's bytes come in two parts.
struct KeyReader: Sendable {
    private static let plain: [Unicode.Scalar: TopKey] = [
        "q": .quit, "Q": .quit, "p": .pause, " ": .refresh, "r": .refresh, "\u{0C}": .redraw, "+": .longer,
        "=": .longer, "-": .shorter, "h": .help, "?": .help, "\t": .next, "k": .up, "j": .down, "g": .home,
        "G": .end, "b": .pageUp, "f": .pageDown,
    ]

    private static let sequences: [String: TopKey] = [
        "A": .up, "B": .down, "C": .next, "D": .previous, "H": .home, "F": .end, "Z": .previous, "1~": .home,
        "4~": .end, "5~": .pageUp, "6~": .pageDown, "7~": .home, "8~": .end,
    ]

    /// The bytes of a sequence after its ESC; nil outside of one.
    private var sequence: [UInt8]?

    mutating func read(_ bytes: [UInt8]) -> [TopKey] { bytes.compactMap { next($0) } }

    private mutating func next(_ byte: UInt8) -> TopKey? {
        if byte == 0x1B {
            sequence = []
            return nil
        }
        guard let open = sequence else { return Self.key(byte) }
        // ESC [ or ESC O, parameters, and a last byte from @ to ~ (ECMA-48).
        if open.isEmpty {
            guard byte == 0x5B || byte == 0x4F else {
                sequence = nil
                return Self.key(byte)
            }
            sequence = [byte]
            return nil
        }
        guard (0x40...0x7E).contains(byte) else {
            // The longest that means something has two bytes more.
            if open.count < 4 { sequence?.append(byte) }
            return nil
        }
        sequence = nil
        return Self.sequences[String(decoding: open.dropFirst() + [byte], as: UTF8.self)]
    }

    private static func key(_ byte: UInt8) -> TopKey? {
        if (0x31...0x39).contains(byte) { return .pane(Int(byte) - 0x30) }
        return plain[Unicode.Scalar(byte)]
    }
}
