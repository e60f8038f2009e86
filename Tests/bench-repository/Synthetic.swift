import Embedding
import Foundation
import Model

/// A generator of random numbers that gives the same entries each time (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Entries of some 130 words: frequent ones are those that schedulers are described with, and the n-th of twenty thousand is
/// 1/n as frequent, as in natural texts.
struct SyntheticWords {
    private static let known = """
        task cpu queue scheduler slice weight time wait wakeup latency batch job process thread cache core idle run first short \
        long build server service interactive priority share fair load cgroup nice deadline order bound kernel memory request \
        worker machine background database compile power energy virtual guest lock barrier pipe stage producer consumer
        """.split(separator: " ").map(String.init)
    static let count = 20_000

    func entry(_ number: Int) throws(Failure) -> PolicyEntry {
        var random = SplitMix(state: UInt64(number) &* 7919 &+ 1)
        let digits = String(number)
        let name = "e" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
        return PolicyEntry(
            key: EntryKey(try SchedulerName(name), SemanticVersion(1, 0, 0)), summary: text(8, &random),
            description: (0..<5).map { _ in text(14, &random) + "." }.joined(separator: " "),
            algorithm: text(6, &random), license: "GPL-2.0-only",
            targetWorkloads: (0..<4).map { _ in text(10, &random) }, notFor: [text(8, &random)],
            kernelMinimum: "6.12", artifact: digest(number), provenance: Provenance(.shipped, maker: "bench-repository")
        )
    }

    private func text(_ words: Int, _ random: inout SplitMix) -> String {
        (0..<words).map { _ in word(&random) }.joined(separator: " ")
    }

    private func word(_ random: inout SplitMix) -> String {
        // The inverse of Zipf's distribution with exponent 1, nearly.
        let part = Double.random(in: 0..<1, using: &random)
        let rank = Int(pow(Double(Self.count), part)) - 1
        return rank < Self.known.count ? Self.known[rank] : "word\(rank)"
    }

    private func digest(_ number: Int) -> String {
        let hex = String(number + 1, radix: 16)
        return String(repeating: "0", count: 64 - hex.count) + hex
    }
}

/// The real model for a question; for the sentences of entries, which it would take hours to read, random vectors of the same
/// size. What is found is meaningless then, and takes as long to find.
struct SyntheticSentences: Embedder {
    private let real: MiniLM

    init(_ real: MiniLM) { self.real = real }

    var identity: EmbeddingIdentity { real.identity }

    func vectors(for texts: [String]) async throws(Failure) -> [[Float]] {
        if texts.count == 1 { return try await real.vectors(for: texts) }
        var random = SplitMix(
            state: texts.reduce(0) { $0 &* 31 &+ UInt64($1.utf8.count) &+ UInt64($1.utf8.first ?? 0) })
        return texts.map { _ in
            (0..<identity.dimensions).map { _ in Float.random(in: -1...1, using: &random) }.normalised()
        }
    }
}
