/// What the command line asks for.
struct Plan {
    enum Kind {
        case series, hotPath
    }

    var kind = Kind.series
    /// Label and path of each object.
    var objects: [(label: String, path: String)] = []
    var loads: [String] = []
    var runs = 5
    /// Of the usual length of a load.
    var percent = 100
    var settings: [(name: String, value: String)] = []
    /// By load: a process' name and its hint.
    var hints: [String: [(name: String, nanoseconds: UInt64)]] = [:]

    /// nil where the words make no sense.
    init?(_ arguments: [String]) {
        var words = arguments[...]
        if words.first == "hotpath" {
            kind = .hotPath
            words.removeFirst()
        }
        while let word = words.popFirst() {
            guard word.hasPrefix("--") else {
                let (label, path) = Self.halves(word, at: "=") ?? ("scheduler", word)
                objects.append((label, path))
                continue
            }
            guard let value = words.popFirst() else { return nil }
            guard take(word, value) else { return nil }
        }
        guard !objects.isEmpty, runs > 0, (1...1000).contains(percent) else { return nil }
        if kind == .series, objects.count != 1 || loads.isEmpty { return nil }
    }

    private mutating func take(_ word: String, _ value: String) -> Bool {
        switch word {
        case "--loads": loads = value.split(separator: ",").map(String.init)
        case "--runs":
            guard let number = Int(value) else { return false }
            runs = number
        case "--percent":
            guard let number = Int(value) else { return false }
            percent = number
        case "--param":
            guard let (name, value) = Self.halves(value, at: "=") else { return false }
            settings.append((name, value))
        case "--hint":
            guard let (load, rest) = Self.halves(value, at: ":"), let (name, text) = Self.halves(rest, at: "="),
                let nanoseconds = UInt64(text), name.utf8.count < 16
            else { return false }
            hints[load, default: []].append((name, nanoseconds))
        default: return false
        }
        return true
    }

    /// Both sides of the first separator.
    static func halves(_ text: String, at separator: Character) -> (name: String, value: String)? {
        guard let place = text.firstIndex(of: separator) else { return nil }
        return (String(text[..<place]), String(text[text.index(after: place)...]))
    }
}
