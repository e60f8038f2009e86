import Model
import Testing

@testable import Diagnostics

@Suite(.timeLimit(.minutes(5))) struct TextTests {
    let plain = TextRenderer(sources: Sample.sources)

    @Test func aFindingLooksLikeACompilers() {
        let lines = plain.finding(Sample.lost, in: "lost.bpf.c").split(separator: "\n").map(String.init)
        let name = "my schedulers/lost.bpf.c"
        #expect(lines[0] == "\(name):4:3: error: a task is neither inserted into a queue nor kept [lost-task]")
        #expect(lines[1] == "    4 |                 return;")
        #expect(lines[2] == "      |                 ^")
        #expect(lines.contains("\(name):3:6: note: the condition is true"))
        #expect(lines.contains("      = why: The task never runs again."))
        #expect(lines.contains("      = fix: Insert it into a queue on every path."))
    }

    @Test func theTurnsOfALoopAreShownOnce() {
        func step(_ line: Int) -> PathStep {
            PathStep(location: SourceLocation(file: "x.bpf.c", line: line), note: "goes on")
        }
        var finding = Sample.lost
        finding.path = [step(1)] + (0..<5).flatMap { _ in [step(2), step(3)] } + [step(4)]
        let text = TextRenderer().finding(finding, in: "x.bpf.c")
        let shown = text.split(separator: "\n").filter { $0.contains("note: goes on") || $0.contains("again:") }
        #expect(
            shown == [
                "x.bpf.c:1: note: goes on", "x.bpf.c:2: note: goes on", "x.bpf.c:3: note: goes on",
                "      = again: these 2 steps, 4 times more", "x.bpf.c:4: note: goes on",
            ])
        finding.path = [step(1), step(1), step(2)]
        #expect(!TextRenderer().finding(finding, in: "x.bpf.c").contains("again:"))
    }

    @Test(arguments: 0..<40) func foldedPathsUnfoldToWhatTheyWere(seed: Int) {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        let steps = (0..<60).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return PathStep(location: SourceLocation(file: "x", line: Int(state >> 62)), note: "")
        }
        let unfolded = RepeatedSteps(steps).runs.flatMap { run in (0..<run.times).flatMap { _ in Array(run.steps) } }
        #expect(unfolded == steps)
    }

    @Test func theTextOfALineIsTheFindingsOwnWhereTheFileIsNotKnown() {
        let text = plain.finding(Sample.slow, in: "lost.bpf.c")
        #expect(text.hasPrefix("schedcp/hints.bpf.h:80: warning: the loop may take long [unbounded-work]\n"))
        #expect(text.contains("   80 | bpf_for(i, 0, 32) {\n"))
        #expect(!text.contains("^"))
    }

    @Test func aFindingWithoutAPlaceNamesTheCandidateAndTheLoad() {
        let starved = Finding(
            stage: .dynamic, check: "starvation", message: "a task waited 12 s", operation: "fork-storm")
        let text = TextRenderer().finding(starved, in: "x.bpf.o")
        #expect(text == "x.bpf.o: error: a task waited 12 s (fork-storm) [starvation]\n")
    }

    @Test func theWholeEndsWithStagesAndVerdict() {
        let text = plain.text(Sample.run())
        #expect(text.contains("compile  passed    0.21 s\n"))
        #expect(text.contains("static   failed    0.08 s     1 error, 1 warning, 1 proved, 1 not decided\n"))
        #expect(text.contains("kernel   skipped\n"))
        #expect(!text.contains("not decided ["))
        #expect(
            text.hasSuffix(
                "my schedulers/lost.bpf.c: refused by the stage static (1 error, 1 warning), kernel 7.3.4\n"))
    }

    @Test func whatAPassedStageLeftUndecidedIsSaidByReason() {
        let checks = ["affinity", "slice", "cpu-range"].map {
            CheckOutcome(check: $0, verdict: .unknown, reason: $0 == "slice" ? "it comes from a map" : "too many paths")
        }
        let run = Diagnosis(name: "x.bpf.c", verdict: .passed, stages: [StageReport(.static, .passed, checks: checks)])
        let text = TextRenderer().text(run)
        #expect(text.contains("not decided [affinity, cpu-range]: too many paths\n"))
        #expect(text.contains("not decided [slice]: it comes from a map\n"))
        #expect(text.hasSuffix("x.bpf.c: passed up to the stage static\n"))
    }

    @Test func whatCouldNotBeDoneSaysWhyAndIsNoRefusal() {
        let run = Diagnosis(
            name: "x.bpf.c", verdict: .unable,
            stages: [StageReport(.compile, .unable, log: "clang is missing: apt-get install clang")])
        let text = TextRenderer().text(run)
        #expect(text.contains("could not be done"))
        #expect(text.contains("apt-get install clang"))
        #expect(text.contains("says nothing against it"))
        #expect(!text.contains("refused"))
    }

    @Test func coloursOnlyWhereAskedFor() {
        #expect(!plain.text(Sample.run()).contains("\u{1B}"))
        let coloured = TextRenderer(isColoured: true, sources: Sample.sources).text(Sample.run())
        #expect(coloured.contains("\u{1B}[1;31merror: \u{1B}[0m"))
    }

    /// A candidate names its files and writes its lines itself.
    @Test func nothingThatATerminalObeysPasses() {
        var evil = Sample.lost
        evil.message = "a\u{1B}[2Jb\u{202E}c\nd"
        evil.location = SourceLocation(file: "x\u{7}\n.c", line: 1, text: "int \u{1B}]0;x\u{7};")
        evil.detail = "one\rtwo\u{9B}\nthree"
        evil.path = [PathStep(location: SourceLocation(file: "\u{1B}c", line: 2, text: "\u{8}"), note: "\u{1B}[A")]
        let text = TextRenderer(isVerbose: true).finding(evil, in: "\u{1B}x")
        let bad = text.unicodeScalars.filter { $0 != "\n" && ($0.value < 32 || (127..<160).contains($0.value)) }
        #expect(bad.isEmpty)
        #expect(!text.unicodeScalars.contains("\u{202E}"))
        #expect(text.contains("a\u{FFFD}[2Jb\u{FFFD}c d"))
    }

    @Test func aColumnBehindTheLineHasNoMark() {
        var finding = Sample.lost
        finding.location?.column = 400
        #expect(!plain.finding(finding, in: "lost.bpf.c").contains("|                 ^"))
        finding.location?.line = 4000
        #expect(plain.finding(finding, in: "lost.bpf.c").contains(":4000:400: error"))
    }

    @Test func aLongDetailIsCutUnlessAskedFor() {
        var finding = Sample.lost
        finding.detail = (1...100).map { "line \($0)" }.joined(separator: "\n")
        #expect(plain.finding(finding, in: "x").contains("88 more lines"))
        #expect(!plain.finding(finding, in: "x").contains("line 50"))
        #expect(TextRenderer(isVerbose: true).finding(finding, in: "x").contains("line 100"))
    }
}
