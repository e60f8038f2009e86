import GuestProtocol
import Testing

@Suite(.timeLimit(.minutes(5)))
struct TrialReportTests {
    static let samples: [TrialRecord] = [
        .kernel(release: "7.3.4+deb13-cloud-amd64", build: "00ff"),
        .program(
            ProgramFigures(
                name: "fifo_enqueue", instructions: 12, processed: 340, totalStates: 5, peakStates: 4, stack: 32,
                nanoseconds: 1000)),
        .verifierLog(program: "fifo_enqueue", text: "0: R1=ctx()\n; 100% = done @ fifo.bpf.c:12\n"),
        .began(step: "load", subject: ""), .began(step: "torture", subject: "fork-storm"),
        .ended(StepEnd(step: "load", isSuccess: false, message: "refused: naïve", nanoseconds: 5)),
        .measurement(TrialMeasurement("latency.max", subject: "idle", value: 1.5e9, unit: "ns", low: 1, high: -0.25)),
        .measurement(TrialMeasurement("ratio", value: 0.1)),
        .violation(
            Violation(
                check: "starvation", severity: .warning, message: "a task waited 4 s", load: "hogs",
                detail: "line 1\nline 2\t%41", file: "fifo.bpf.c", line: 12, text: "a = b;")),
        .kernelLog("BUG: unable to handle page fault"), .dump(name: "scheduler", text: "runqueue 0\n"),
        .done(.passed), .done(.failed), .done(.unable),
    ]

    @Test(arguments: samples) func aRecordComesBackAsItWas(_ record: TrialRecord) {
        let line = TrialReport.lines(for: record)
        #expect(line.last == 0x0A)
        #expect(line.dropLast().allSatisfy { (0x20...0x7E).contains($0) })
        #expect(TrialReportDecoder.record(line.dropLast()) == record)
    }

    @Test(arguments: [1, 7, 4096]) func thePiecesInWhichLinesComeDoNotMatter(_ size: Int) {
        let bytes = Self.samples.flatMap(TrialReport.lines(for:))
        var decoder = TrialReportDecoder()
        var records: [TrialRecord] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            records += decoder.append(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        #expect(records == Self.samples)
        #expect(decoder.strangeLines == 0)
    }

    @Test func aLongLogIsCutBetweenCharacters() {
        let text = String(repeating: "0123456789é€𝄞\n", count: 8000)
        let bytes = TrialReport.lines(for: .verifierLog(program: "p", text: text))
        let lines = bytes.split(separator: 0x0A)
        #expect(lines.count > 8)
        #expect(lines.allSatisfy { $0.count < TrialReport.longestLine })
        var decoder = TrialReportDecoder()
        let joined = decoder.append(bytes).reduce(into: "") { whole, record in
            if case .verifierLog("p", let piece) = record { whole += piece }
        }
        #expect(joined == text)
    }

    @Test func noRecordIsLongerThanALine() {
        let long = String(repeating: "\u{1}", count: 1_000_000)
        let records: [TrialRecord] = [
            .violation(
                Violation(check: long, message: long, load: long, detail: long, file: long, line: .max, text: long)),
            .kernelLog(long), .ended(StepEnd(step: long, subject: long, message: long)),
            .measurement(TrialMeasurement(long, subject: long, value: .pi, unit: long, low: .pi, high: .pi)),
            .program(ProgramFigures(name: long, instructions: .max)), .began(step: long, subject: long),
            .kernel(release: long, build: long),
        ]
        for record in records {
            let line = TrialReport.lines(for: record)
            #expect(line.count <= TrialReport.longestLine)
            #expect(TrialReportDecoder.record(line.dropLast()) != nil)
        }
    }

    @Test func strangeLinesAreCountedAndPassedOver() {
        let strange = [
            "", "hello world", "done verdict=maybe", "measurement name=a value=nan", "measurement name=a value=x",
            "kernel-log text=%4", "kernel-log text=%zz", "program name=p", "violation check=a severity=grave",
            "log text", String(repeating: "x", count: TrialReport.longestLine * 2),
        ]
        var decoder = TrialReportDecoder()
        let text = strange.joined(separator: "\n") + "\ndone verdict=passed\nno end"
        #expect(decoder.append(text.utf8) == [.done(.passed)])
        #expect(decoder.strangeLines == strange.count)
    }
}
