import Model
import TestSupport
import Testing

/// Promotion and demotion by evidence: what holds for every history.
@Suite struct EvidenceRulesTests {
    private static let rules = EvidenceRules.standard
    private static let artifact = String(repeating: "ab", count: 32)

    private static func measured(_ trial: Int, _ direction: Effect.Direction) -> Evidence.Measured {
        Evidence.Measured(trial: "t\(trial)", direction: direction)
    }

    private static func passed(_ number: Int, at seconds: Int64) -> Evidence.Passed {
        Evidence.Passed(
            digest: "d\(number)", artifact: artifact, stages: ["compile", "static", "kernel", "dynamic"],
            issuedAt: seconds)
    }

    private static func random(_ seed: UInt64) -> Evidence {
        var random = Seeded(seed)
        var evidence = Evidence(artifact: artifact)
        for number in 0..<random.below(4) {
            var one = passed(number, at: Int64(random.below(100)))
            if random.chance(5) { one.artifact = "other" }
            if random.chance(5) { one.stages.remove("dynamic") }
            if random.chance(5) { one.isLocal = false }
            evidence.passed.append(one)
        }
        for _ in 0..<random.below(12) {
            let direction: Effect.Direction = random.chance(4) ? .worse : random.chance(4) ? .unclear : .better
            evidence.measured.append(measured(random.below(8), direction))
        }
        for _ in 0..<random.below(3) {
            let kind = Incident.Kind.allCases[random.below(3)]
            evidence.mishaps.append(
                Evidence.Mishap(
                    kind: kind, subject: "d\(random.below(4))", at: Int64(random.below(100)) * 1_000_000_000))
        }
        return evidence
    }

    private static func status(_ evidence: Evidence) -> EntryStatus { rules.judge(evidence).status }

    @Test func nothingIsACandidate() {
        #expect(Self.status(Evidence(artifact: Self.artifact)) == .candidate)
    }

    @Test(arguments: 1...500 as ClosedRange<UInt64>) func orderDoesNotMatter(_ seed: UInt64) {
        let evidence = Self.random(seed)
        var random = Seeded(seed + 1_000_000)
        var other = evidence
        other.passed.shuffle(using: &random)
        other.measured.shuffle(using: &random)
        other.mishaps.shuffle(using: &random)
        #expect(Self.status(other) == Self.status(evidence))
    }

    @Test(arguments: 1...500 as ClosedRange<UInt64>) func whatSpeaksForItNeverDemotes(_ seed: UInt64) {
        let evidence = Self.random(seed)
        let before = Self.status(evidence)
        for trial in 0..<12 {
            var more = evidence
            more.measured.append(Self.measured(trial, .better))
            #expect(Self.status(more) >= before)
        }
        var attested = evidence
        attested.passed.append(Self.passed(9, at: 1000))
        #expect(Self.status(attested) >= before)
    }

    @Test(arguments: 1...500 as ClosedRange<UInt64>) func whatSpeaksAgainstItNeverPromotes(_ seed: UInt64) {
        let evidence = Self.random(seed)
        let before = Self.status(evidence)
        for trial in 0..<12 {
            var more = evidence
            more.measured.append(Self.measured(trial, .worse))
            #expect(Self.status(more) <= before)
        }
        for kind in Incident.Kind.allCases {
            for subject in ["d0", "d1", "x"] {
                for second in [0, 50, 200] as [Int64] {
                    var more = evidence
                    more.mishaps.append(
                        Evidence.Mishap(kind: kind, subject: subject, at: second * 1_000_000_000))
                    #expect(Self.status(more) <= before)
                }
            }
        }
    }

    @Test(arguments: 1...500 as ClosedRange<UInt64>) func whatIsUnclearChangesNothing(_ seed: UInt64) {
        var evidence = Self.random(seed)
        let before = Self.status(evidence)
        evidence.measured.append(Self.measured(99, .unclear))
        #expect(Self.status(evidence) == before)
    }

    @Test(arguments: 1...500 as ClosedRange<UInt64>) func withoutAnAttestationNothingIsVerified(_ seed: UInt64) {
        var evidence = Self.random(seed)
        evidence.passed = []
        #expect(Self.status(evidence) <= .candidate)
        // Nor by those of others, of another artifact, or of too few stages.
        for number in 0..<9 {
            var passed = Self.passed(number, at: 1000)
            switch number % 3 {
            case 0: passed.isLocal = false
            case 1: passed.artifact = "other"
            default: passed.stages.remove("kernel")
            }
            evidence.passed.append(passed)
        }
        #expect(Self.status(evidence) <= .candidate)
    }

    /// The same trial a hundred times is one trial.
    @Test func oneTrialIsOneTrial() {
        var evidence = Evidence(artifact: Self.artifact, passed: [Self.passed(1, at: 1)])
        evidence.measured = Array(repeating: Self.measured(1, .better), count: 100)
        #expect(Self.status(evidence) == .verified)
        evidence.measured += [Self.measured(2, .better), Self.measured(3, .better)]
        #expect(Self.status(evidence) == .proven)
    }

    @Test func oneContradictionNeedsFourThatSupport() {
        var evidence = Evidence(artifact: Self.artifact, passed: [Self.passed(1, at: 1)])
        evidence.measured = (0..<3).map { Self.measured($0, .better) } + [Self.measured(10, .worse)]
        #expect(Self.status(evidence) == .verified)
        evidence.measured.append(Self.measured(4, .better))
        #expect(Self.status(evidence) == .proven)
        // A trial that shows both is against it.
        evidence.measured.append(Self.measured(4, .worse))
        #expect(Self.status(evidence) == .verified)
    }

    @Test func anEjectionVoidsWhatWasAttestedBefore() {
        var evidence = Evidence(artifact: Self.artifact, passed: [Self.passed(1, at: 10)])
        evidence.measured = (0..<5).map { Self.measured($0, .better) }
        #expect(Self.status(evidence) == .proven)
        evidence.mishaps = [Evidence.Mishap(kind: .quarantined, subject: "1", at: 10_000_000_000)]
        #expect(Self.status(evidence) == .candidate)
        evidence.passed.append(Self.passed(2, at: 11))
        #expect(Self.status(evidence) == .proven)
        for number in 0..<3 {
            evidence.mishaps.append(Evidence.Mishap(kind: .ejected, subject: "\(number)", at: 1))
        }
        #expect(Self.status(evidence) == .deprecated)
    }

    @Test func aRevokedAttestationDoesNotCount() {
        var evidence = Evidence(artifact: Self.artifact, passed: [Self.passed(1, at: 10)])
        evidence.mishaps = [Evidence.Mishap(kind: .revoked, subject: "d1", at: 1)]
        #expect(Self.status(evidence) == .candidate)
        evidence.passed.append(Self.passed(2, at: 1))
        #expect(Self.status(evidence) == .verified)
    }

    @Test func timesThatAreTooLargeAreNoTrap() {
        let evidence = Evidence(artifact: Self.artifact, passed: [Self.passed(1, at: .max), Self.passed(2, at: .min)])
        #expect(Self.status(evidence) == .verified)
    }
}
