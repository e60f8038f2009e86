/// One line of bench-load.
package enum GuestLine: Hashable, Sendable {
    package struct Sample: Hashable, Sendable {
        package var load: String
        package var pair: Int
        /// The candidate schedules; else the kernel's default does.
        package var isCandidate: Bool
        package var metric: String
        package var value: Double
    }

    case sample(Sample)
    case failed(load: String, text: String)
    case note(load: String, text: String)
    case done

    /// nil where it is none of these.
    package init?(_ line: some StringProtocol) {
        let words = String(line).split(separator: " ").map(String.init)
        switch words.first {
        case "sample" where words.count == 6:
            guard let pair = Int(words[2]), ["default", "scheduler"].contains(words[3]), let value = Double(words[5]),
                value.isFinite, value >= 0
            else { return nil }
            self = .sample(
                Sample(load: words[1], pair: pair, isCandidate: words[3] == "scheduler", metric: words[4], value: value)
            )
        case "failed" where words.count > 2: self = .failed(load: words[1], text: words[2...].joined(separator: " "))
        case "note" where words.count > 2: self = .note(load: words[1], text: words[2...].joined(separator: " "))
        case "done" where words.count == 1: self = .done
        default: return nil
        }
    }
}
