package import Model

/// What makes two attempts the same: the code without its comments and spacing, and the parameters in any order.
package enum Fingerprint {
    /// SHA-256, lower-case hex.
    package static func of(source: String, settings: [Setting] = []) -> String {
        let lines = settings.map { "\($0.name)=\($0.value)" }.sorted()
        return ArtifactStore.digest(Array(([plain(source)] + lines).joined(separator: "\0").utf8))
    }

    /// Without comments, and with one space wherever there was any; what is in quotes stays as it is.
    static func plain(_ source: String) -> String {
        var reader = Reader(bytes: Array(source.utf8))
        return String(decoding: reader.read(), as: UTF8.self)
    }

    private struct Reader {
        let bytes: [UInt8]
        private var index = 0
        private var out: [UInt8] = []

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func read() -> [UInt8] {
            while let byte = peek() {
                switch (byte, peek(1)) {
                case (0x2F, 0x2F?): skip { $0 == 0x0A }
                case (0x2F, 0x2A?): skipBlock()
                case (0x22, _), (0x27, _): quoted(byte)
                case (0x20, _), (0x09...0x0D, _): space()
                default: take()
                }
            }
            while out.last == 0x20 { out.removeLast() }
            return out
        }

        private func peek(_ ahead: Int = 0) -> UInt8? {
            index + ahead < bytes.count ? bytes[index + ahead] : nil
        }

        private mutating func take() {
            out.append(bytes[index])
            index += 1
        }

        private mutating func space() {
            if let last = out.last, last != 0x20 { out.append(0x20) }
            index += 1
        }

        private mutating func skip(until isEnd: (UInt8) -> Bool) {
            while let byte = peek(), !isEnd(byte) { index += 1 }
        }

        /// A comment is as good as a space.
        private mutating func skipBlock() {
            index += 2
            while let byte = peek(), !(byte == 0x2A && peek(1) == 0x2F) { index += 1 }
            index += 1
            if index < bytes.count { space() }
        }

        private mutating func quoted(_ quote: UInt8) {
            take()
            while let byte = peek(), byte != quote {
                take()
                if byte == 0x5C, peek() != nil { take() }
            }
            if peek() != nil { take() }
        }
    }
}
