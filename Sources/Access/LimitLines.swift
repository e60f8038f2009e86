import Model

/// What is wrong with a limit, and where.
struct LimitError: Error {
    let word: Word
    let message: String
    let hint: String
}

extension RoleLimits {
    static let names = [
        "requests-per-second", "connections", "streams", "verifications", "source-bytes", "object-bytes",
        "cpu-seconds-per-hour", "cost-per-hour", "changes-per-hour", "deploy-without-canary", "canary-scope",
        "kernel-functions",
        "deny-kernel-functions", "helpers", "deny-helpers", "map-types", "deny-map-types", "user-memory", "effort",
    ]

    /// Takes one line of a role.
    mutating func set(_ words: [Word], line: Int) throws(LimitError) {
        switch words[0].text {
        case "requests-per-second": try setRate(words)
        case "connections": connections = try Self.number(words, 1...100_000)
        case "streams": streams = try Self.number(words, 0...10_000)
        case "verifications": verifications = try Self.number(words, 0...1000)
        case "source-bytes": sourceBytes = try Self.number(words, 0...16_777_216)
        case "object-bytes": objectBytes = try Self.number(words, 0...6_291_456)
        case "cpu-seconds-per-hour": cpuSecondsPerHour = try Self.number(words, 0...1_000_000)
        case "cost-per-hour":
            let word = try Self.only(words)
            guard let cost = Decimal6.parse(word.text) else { throw Self.wrong(word, "an amount, as 1.50") }
            costPerHour = cost
        case "changes-per-hour": changesPerHour = try Self.number(words, 0...1_000_000)
        case "deploy-without-canary": deployWithoutCanary = try Self.yes(words)
        case "user-memory": userMemory = try Self.yes(words)
        case "effort":
            let word = try Self.only(words)
            guard let value = Effort(rawValue: word.text) else { throw Self.wrong(word, "quick or full") }
            effort = value
        case "canary-scope":
            let word = try Self.only(words)
            guard let scope = CanaryScope(rawValue: word.text) else {
                throw Self.wrong(word, "none, cgroup or machine")
            }
            canaryScope = scope
        case "kernel-functions": try Self.permit(words, line, &kernelFunctions)
        case "helpers": try Self.permit(words, line, &helpers)
        case "map-types": try Self.permit(words, line, &mapTypes)
        case "deny-kernel-functions": try Self.deny(words, line, &kernelFunctions)
        case "deny-helpers": try Self.deny(words, line, &helpers)
        case "deny-map-types": try Self.deny(words, line, &mapTypes)
        default:
            throw LimitError(
                word: words[0], message: "'\(words[0].text.escapedForDisplay(limit: 60))' is nothing that a role has",
                hint: Spelling.hint(words[0].text, ["includes", "grants"] + Self.names + RulesParser.statements))
        }
    }

    private static func wrong(_ word: Word, _ expected: String) -> LimitError {
        LimitError(
            word: word, message: "'\(word.text.escapedForDisplay(limit: 60))' is not possible here", hint: expected)
    }

    private static func only(_ words: [Word]) throws(LimitError) -> Word {
        guard words.count == 2 else {
            throw LimitError(
                word: words[words.count > 2 ? 2 : 0], message: "`\(words[0].text)` takes exactly one value", hint: "")
        }
        return words[1]
    }

    private static func number(_ words: [Word], _ range: ClosedRange<Int>) throws(LimitError) -> Int {
        let word = try only(words)
        return try number(word, range)
    }

    private static func number(_ word: Word, _ range: ClosedRange<Int>) throws(LimitError) -> Int {
        guard word.text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(word.text), range.contains(number)
        else { throw wrong(word, "a whole number from \(range.lowerBound) to \(range.upperBound)") }
        return number
    }

    private static func yes(_ words: [Word]) throws(LimitError) -> Bool {
        let word = try only(words)
        guard ["yes", "no"].contains(word.text) else { throw wrong(word, "yes or no") }
        return word.text == "yes"
    }

    private mutating func setRate(_ words: [Word]) throws(LimitError) {
        if words.count == 2, words[1].text == "unlimited" {
            requestsPerSecond = nil
            return
        }
        guard words.count == 4, words[2].text == "burst" else {
            throw LimitError(
                word: words[0], message: "a rate is a number with its burst",
                hint: "requests-per-second 100 burst 400, or unlimited")
        }
        requestsPerSecond = try Self.number(words[1], 1...1_000_000)
        burst = try Self.number(words[3], 1...1_000_000)
    }

    private static func patterns(_ words: [Word]) throws(LimitError) -> [String] {
        guard words.count > 1 else {
            throw LimitError(
                word: words[0], message: "which names?", hint: "a list, where a final * stands for anything")
        }
        var names: [String] = []
        for word in words.dropFirst() {
            let name = word.text.hasSuffix("*") ? word.text.dropLast() : Substring(word.text)
            let isName = name.utf8.allSatisfy { byte in
                (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 95
                    || byte == 45
            }
            guard isName, word.text.utf8.count <= 128, !word.text.isEmpty else {
                throw wrong(word, "letters, digits, _ and -, and a * at the end")
            }
            names.append(word.text)
        }
        return names
    }

    private static func permit(_ words: [Word], _ line: Int, _ patterns: inout NamePatterns) throws(LimitError) {
        if words.count == 2, ["any", "none"].contains(words[1].text) {
            patterns.permitted = words[1].text == "any" ? ["*"] : []
        } else {
            patterns.permitted = try Self.patterns(words)
        }
        patterns.permitLine = line
    }

    private static func deny(_ words: [Word], _ line: Int, _ patterns: inout NamePatterns) throws(LimitError) {
        patterns.denied = words.count == 2 && words[1].text == "none" ? [] : try Self.patterns(words)
        patterns.denyLine = line
    }
}

/// The 44 characters of a key.
enum Base64Key {
    static func decode(_ text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        guard bytes.count == 44, bytes[43] == 61 else { return nil }
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes.dropLast() {
            guard let value = value(byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        // The bits that no byte takes have to be 0: one key has one spelling.
        return out.count == 32 && bits & 3 == 0 ? out : nil
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 65...90: byte - 65
        case 97...122: byte - 71
        case 48...57: byte + 4
        case 43: 62
        case 47: 63
        default: nil
        }
    }
}

/// Days as the rules write them.
enum CalendarDate {
    /// The end of that day in UTC, in seconds since the epoch.
    static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.map(\.utf8.count) == [4, 2, 2],
            text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 45 }), let year = Int64(parts[0]),
            let month = Int64(parts[1]), let day = Int64(parts[2]), (1970...9999).contains(year),
            (1...12).contains(month)
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...days[Int(month) - 1]).contains(day) else { return nil }
        let before = year - 1
        let leaps = (before / 4 - before / 100 + before / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400)
        let sum = (year - 1970) * 365 + leaps + days[..<(Int(month) - 1)].reduce(0, +) + day
        return sum * 86_400 - 1
    }
}
