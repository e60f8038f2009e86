package import Model

/// A program that the kernel's verifier has accepted, with what it wrote about it.
package struct VerifiedProgram: Hashable, Sendable {
    package let name: String
    /// Of the program as it was loaded, subprograms included.
    package let instructions: Int
    package let log: String

    package init(name: String, instructions: Int, log: String) {
        self.name = name
        self.instructions = instructions
        self.log = log
    }

    /// The figures at the log's end; 0 for what this kernel does not say.
    package var figures: VerifierFigures { VerifierFigures(log: log) }
}

/// The verifier's statistics: how much work the program was, and how much stack it takes.
package struct VerifierFigures: Hashable, Sendable {
    /// Instructions that were walked, over all paths.
    package var processed: UInt64 = 0
    package var totalStates: UInt64 = 0
    package var peakStates: UInt64 = 0
    /// Bytes of the deepest chain of functions, as far as the log tells: the sum of what it lists.
    package var stack: UInt64 = 0
    package var nanoseconds: UInt64 = 0

    /// Reads lines such as "processed 34 insns (limit 1000000) max_states_per_insn 0 total_states 2 peak_states 2",
    /// "verification time 120 usec" and "stack depth 32+0" or "stack depth max 32". Functions that are verified on their own have lines of
    /// their own; they are added up.
    package init(log: String) {
        for line in log.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " ")).prefix(16).map { String(Substring($0)) }
            func number(after name: String) -> UInt64 {
                guard let index = words.firstIndex(of: name), index + 1 < words.count else { return 0 }
                return UInt64(words[index + 1]) ?? 0
            }
            switch words.first {
            case "processed" where words.count > 2 && words[2] == "insns":
                processed += number(after: "processed")
                totalStates += number(after: "total_states")
                peakStates += number(after: "peak_states")
            case "verification" where words.count > 3 && words[1] == "time" && words[3] == "usec":
                nanoseconds &+= number(after: "time") &* 1000
            case "stack" where words.count > 2 && words[1] == "depth":
                // A list of functions, or (7.x) "max" and the deepest chain.
                stack += number(after: "max") + words[2].split(separator: "+").reduce(0) { $0 &+ (UInt64($1) ?? 0) }
            default: break
            }
        }
    }
}

/// What the verifier said of the program that it refused, taken from a ``Failure`` of ``OpenedScheduler/load(detail:)``.
package struct VerifierComplaint: Hashable, Sendable {
    package let program: String
    /// The line that says why.
    package let reason: String
    /// The last place in the source that the verifier named before it; empty and 0 without debug information.
    package let file: String
    package let line: Int
    package let text: String
    /// The end of the log, or the kernel's explanation; bounded.
    package let tail: String
    package let log: String

    /// Lines of the log's end that are kept for a person, or of the explanation and what led to it.
    private static let tailLines = 24
    private static let explanationLines = 60

    /// nil where the failure carries no program's log.
    package init?(_ failure: Failure) {
        guard failure.detail.hasPrefix(VerifierLog.header) else { return nil }
        let lines = failure.detail.split(separator: "\n")
        guard let first = lines.first else { return nil }
        program = String(first.dropFirst(VerifierLog.header.count))
        reason = VerifierLog.complaint(in: failure.detail) ?? ""
        log = String(failure.detail[first.endIndex...].dropFirst())
        let explained = lines.firstIndex { $0.hasPrefix(VerifierLog.explanation) }
        tail =
            (explained.map { lines[$0...].prefix(Self.explanationLines) } ?? lines.dropFirst().suffix(Self.tailLines))
            .joined(separator: "\n")
        let place = lines[..<(explained ?? lines.endIndex)].last { $0.hasPrefix("; ") && $0.contains(" @ ") }
            .flatMap(Self.place(in:))
        (text, file, line) = place ?? ("", "", 0)
    }

    /// A line such as "; scx_bpf_dsq_insert(p, dsq, slice, 0); @ fifo.bpf.c:34".
    private static func place(in comment: Substring) -> (String, String, Int)? {
        // The source's own text may hold such a marker: the last one counts.
        var end = comment.endIndex
        while let at = comment[..<end].lastIndex(of: "@") {
            end = at
            guard comment[..<at].hasSuffix(" "), comment[at...].hasPrefix("@ ") else { continue }
            let place = comment[at...].dropFirst(2)
            guard let colon = place.lastIndex(of: ":"), let line = Int(place[place.index(after: colon)...]) else {
                return nil
            }
            return (String(comment[..<at].dropFirst(2).dropLast()), String(place[..<colon]), line)
        }
        return nil
    }
}
