import Model
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Frames between daemon and verifier: whatever bytes come, in whatever pieces.
@Suite struct VerifierStreamTests {
    private static func frames(_ count: Int, _ random: inout Seeded) -> [[UInt8]] {
        (0..<count).map { _ in
            (0..<random.below(300)).map { _ in [0xDB, 0xDD, 0xDF, 0, UInt8(random.below(256))][random.below(5)] }
        }
    }

    @Test(arguments: [false, true]) func framesComeBackByteByByteAndInOnePiece(isStuffed: Bool) throws {
        var random = Seeded(11)
        let frames = Self.frames(40, &random)
        let plain = frames.flatMap { RawClient.frame($0) }
        let bytes = isStuffed ? Stuffing.reset + Stuffing.encode(plain) : plain
        var one = VerifierStreamDecoder(isStuffed: isStuffed)
        let expected = (isStuffed ? [.reset] : []) + frames.map { VerifierStreamDecoder.Piece.frame($0) }
        #expect(try one.decode(bytes) == expected)
        #expect(one.unfinishedBytes == 0)
        var many = VerifierStreamDecoder(isStuffed: isStuffed)
        var pieces: [VerifierStreamDecoder.Piece] = []
        for byte in bytes { pieces += try many.decode([byte]) }
        #expect(pieces == expected)
    }

    /// Whatever a session left behind, wherever it was cut off: after a reset the next one is read.
    @Test func aResetMakesGoodWhateverCameBefore() throws {
        var random = Seeded(12)
        let next = Stuffing.reset + Stuffing.encode(RawClient.frame([1, 0xDB, 3]))
        for length in 0..<80 {
            let before = Stuffing.encode(RawClient.frame(Self.frames(1, &random)[0] + [0xDB, 0xDB]))
            var decoder = VerifierStreamDecoder(isStuffed: true)
            _ = try decoder.decode(Stuffing.reset + before.prefix(length))
            let pieces = try decoder.decode(next)
            #expect(pieces.last == .frame([1, 0xDB, 3]), "\(length): \(pieces)")
        }
    }

    /// No content can begin a session: a candidate's source is content.
    @Test func contentCannotReset() throws {
        let content = Stuffing.reset + RawClient.frame([7]) + Stuffing.reset
        var decoder = VerifierStreamDecoder(isStuffed: true)
        let pieces = try decoder.decode(Stuffing.reset + Stuffing.encode(RawClient.frame(content)))
        #expect(pieces == [.reset, .frame(content)])
    }

    @Test func beforeTheFirstResetNothingCounts() throws {
        var decoder = VerifierStreamDecoder(isStuffed: true)
        #expect(try decoder.decode(RawClient.frame([1, 2, 3])).isEmpty)
    }

    @Test func aFrameOverTheLimitIsRefusedByItsHeader() throws {
        var plain = VerifierStreamDecoder(isStuffed: false, limit: 100)
        let failure = #expect(throws: Failure.self) { try plain.decode([0, 0, 0, 101]) }
        #expect(failure?.code == .frameTooLarge)
        // Over a stream it costs only what comes before the next session.
        var stuffed = VerifierStreamDecoder(isStuffed: true, limit: 100)
        #expect(try stuffed.decode(Stuffing.reset + [0, 0, 0, 101] + [UInt8](repeating: 1, count: 500)) == [.reset])
        #expect(stuffed.unfinishedBytes == 0)
        #expect(try stuffed.decode(Stuffing.reset + RawClient.frame([5])) == [.reset, .frame([5])])
    }

    @Test(arguments: [false, true]) func noBytesStopTheDecoder(isStuffed: Bool) {
        var random = Seeded(13)
        var held = 0
        for _ in 0..<400 {
            var decoder = VerifierStreamDecoder(isStuffed: isStuffed, limit: 1000)
            for _ in 0..<5 {
                let bytes = (0..<random.below(200)).map { _ in
                    [0xDB, 0xDF, 0xDD, 0, UInt8(random.below(256))][random.below(5)]
                }
                _ = try? decoder.decode(bytes)
            }
            held = max(held, decoder.unfinishedBytes)
        }
        #expect(held <= 1004 + 200)
    }

    // MARK: What is in the frames

    @Test func aBombOfEmptyMessagesIsNotDecoded() throws {
        var response = WireVerifierResponse()
        response.finished.report.stages = [WireStageResult](repeating: WireStageResult(), count: 1000)
        let payload: [UInt8] = try response.serializedBytes()
        try MessageCount.check(payload, most: 1100)
        let failure = #expect(throws: Failure.self) { try MessageCount.check(payload, most: 900) }
        #expect(failure?.code == .malformed)
        for cut in [1, 7, payload.count / 2] {
            _ = try? MessageCount.check(Array(payload.dropLast(cut)))
        }
        var random = Seeded(14)
        for _ in 0..<500 {
            var bytes = Array(payload.prefix(60))
            bytes[random.below(bytes.count)] = UInt8(random.below(256))
            _ = try? MessageCount.check(bytes)
        }
        #expect(throws: Failure.self) { try MessageCount.check([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]) }
    }

    static let report: StageReport = {
        var report = StageReport(.static, .failed, log: "log", nanoseconds: 5)
        let place = SourceLocation(file: "a.bpf.c", line: 3, column: 4, text: "x();")
        report.findings = [
            Finding(
                stage: .static, check: "lost-task", severity: .error, message: "m", location: place,
                operation: "enqueue",
                path: [PathStep(location: place, note: "false")], why: "w", remedy: "r", detail: "d"),
            Finding(stage: .dynamic, check: "starvation", severity: .note, message: "n"),
        ]
        report.checks = CheckOutcome.Verdict.allCases.map { CheckOutcome(check: "c", verdict: $0, reason: "r") }
        report.measurements = [
            Measurement("a", subject: "s", value: 1.5, unit: "ns", low: 1, high: 2), Measurement("b", value: 0),
        ]
        return report
    }()

    @Test func aStageComesBackAsItWas() throws {
        let wire = WireStageResult(Self.report, evidence: "ab")
        let bytes: [UInt8] = try wire.serializedBytes()
        let back = try Frame.decode(WireStageResult.self, from: bytes)
        let report = try back.asReport()
        #expect(report == Self.report && back.evidenceSha256 == "ab")
    }

    @Test func whatIsTooLongIsCutAndWhatIsUnknownRefused() throws {
        var report = Self.report
        report.log = String(repeating: "x", count: 3 << 20)
        report.findings[0].message = String(repeating: "é", count: 40_000)
        let wire = WireStageResult(report, evidence: "")
        #expect(wire.log.utf8.count == VerificationBounds.logBytes)
        #expect(wire.findings[0].message.utf8.count <= VerificationBounds.textBytes + 3)
        for change: (inout WireStageResult) -> Void in [
            { $0.stage = "magic" }, { $0.verdict = "" }, { $0.findings[0].severity = "fatal" },
            { $0.findings[0].stage = "x" }, { $0.checks[0].verdict = "maybe" },
            { $0.findings = [WireFinding](repeating: $0.findings[1], count: VerificationBounds.entries + 1) },
        ] {
            var changed = wire
            change(&changed)
            let failure = #expect(throws: Failure.self) { try changed.asReport() }
            #expect(failure?.code == .malformed)
        }
    }
}
