import Linux

/// What a scheduler's description promises, for the dynamic stage to hold it to. Only single lines of the table
/// `[promises]` with texts, numbers and truth values are read: the daemon's repository reads and checks the whole.
package enum DescriptionPromises {
    /// Of `NAME.toml` beside `NAME.bpf.c` or `NAME.bpf.o`; nothing where there is none.
    package static func beside(_ path: String) -> [String: String] {
        let stem = path.split(separator: ".bpf.", omittingEmptySubsequences: false).first.map(String.init) ?? path
        guard stem != path, let text = try? TextFile.read(stem + ".toml") else { return [:] }
        return read(text)
    }

    /// - Parameter toml: the text of `NAME.toml`.
    static func read(_ toml: String) -> [String: String] {
        var result: [String: String] = [:]
        var isInside = false
        for line in toml.split(separator: "\n") {
            if line.hasPrefix("[") { isInside = line == "[promises]" }
            guard isInside, let equals = line.firstIndex(of: "=") else { continue }
            let value = trimmed(line[line.index(after: equals)...])
            result[trimmed(line[..<equals])] = value.hasPrefix("\"") ? String(value.dropFirst().dropLast()) : value
        }
        return result
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
