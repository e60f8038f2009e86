import Foundation
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@testable import schedctl

/// The screen of `schedctl top` as a function of what is known and of the size.
@Suite(.timeLimit(.minutes(5))) struct TopPictureTests {
    /// A machine with its scheduler, with everything that a view can have.
    static func view(cpus: Int, caches: Int = 1, layers: Int = 0, queues: Int = 3, text: String = "plain") -> WireView {
        WireView.with { view in
            (view.at, view.intervalNanoseconds) = (1_700_000_000_000_000_000, 1_000_000_000)
            (view.kernel.supported, view.kernel.state, view.kernel.ops) = (true, "enabled", text)
            (view.kernel.owner, view.kernel.release) = (.ours, "7.0.3-\(text)")
            (view.deployment.id, view.deployment.scheduler, view.deployment.state) = (12, text, "active")
            (view.deployment.attachedAt, view.deployment.actorUser) = (1_699_999_000_000_000_000, text)
            view.cpus = (0..<cpus).map { cpu in
                .with {
                    ($0.cpu, $0.llc) = (UInt32(cpu), UInt32(cpu * caches / cpus))
                    ($0.busy, $0.queued) = (Double(cpu % 11) / 10, UInt32(cpu % 3) * 4)
                }
            }
            view.queues = (0..<queues).map { queue in
                .with { ($0.name, $0.id, $0.tasks) = ("\(text)[\(queue)]", UInt64(queue), UInt32(queue)) }
            }
            view.waits.counts = (0..<24).map { UInt64($0 * $0) }
            (view.waits.p50Nanoseconds, view.waits.p99Nanoseconds) = (32_000, 1_200_000)
            view.counters = (0..<12 + layers).map { index in
                .with {
                    $0.name = index < 12 ? "counter\(index)-\(text)" : "layer\(index - 12)_ns"
                    ($0.total, $0.perSecond, $0.unit) = (123_456_789, 1.5e9, index < 12 ? "" : "ns")
                    $0.description_p = "what it counts: \(text)"
                }
            }
            view.layers.layers = (0..<layers).map { _ in .with { ($0.weight, $0.cap, $0.guarantee) = (100, 300, 55) } }
            view.layers.rules = (0..<layers).map { rule in
                .with { ($0.layer, $0.name, $0.cgroup, $0.threads) = (UInt32(rule), text, "/\(text)", 4) }
            }
            view.events = (0..<20).map { number in
                .with {
                    ($0.sequence, $0.at, $0.kind, $0.message) = (UInt64(number), 1, text, "message \(number) \(text)")
                }
            }
            view.missing = [text, text]
        }
    }

    static let hostile = LookTests.hostile + "\n\t\r\u{0}漢字かな한글👩‍👩‍👧‍👦e\u{301}\u{300}ﬃ" + String(repeating: "長い", count: 300)

    static let views: [(String, WireView)] = [
        ("nothing", WireView()), ("1 CPU", view(cpus: 1)), ("2 CPUs", view(cpus: 2)),
        ("8 CPUs", view(cpus: 8, caches: 2)),
        ("256 CPUs", view(cpus: 256, caches: 32)), ("255 CPUs in one cache", view(cpus: 255)),
        ("16 layers", view(cpus: 16, caches: 2, layers: 16)), ("many queues", view(cpus: 4, queues: 300)),
        ("hostile", view(cpus: 12, caches: 3, layers: 16, queues: 70, text: hostile)),
        ("long", view(cpus: 3, layers: 2, text: String(repeating: "x", count: 5000))),
    ]

    static let sizes = [
        (24, 80), (1, 1), (2, 2), (3, 10), (5, 40), (7, 79), (10, 80), (24, 81), (25, 132), (50, 200), (100, 500),
        (24, 20),
        (0, 0), (200, 1),
    ]

    private static func check(_ state: TopState, _ rows: Int, _ columns: Int, _ glyphs: Glyphs, _ name: String) {
        let picture = TopPicture(state, rows: rows, columns: columns, glyphs: glyphs)
        #expect(picture.lines.count <= max(1, rows), "\(name) \(rows)x\(columns)")
        for line in picture.lines {
            #expect(line.cells <= max(1, columns), "\(name) \(rows)x\(columns): \(line.text)")
            let controls = line.text.unicodeScalars.filter { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .nonspacingMark, .enclosingMark: true
                default: false
                }
            }
            #expect(controls.isEmpty, "\(name) \(rows)x\(columns)")
        }
        #expect(picture.mostScroll >= 0)
    }

    @Test(arguments: views) func itFitsWhateverTheSize(_ name: String, _ view: WireView) {
        for (rows, columns) in Self.sizes {
            for pane in TopState.Pane.allCases {
                let others = columns == 80 ? [(true, ""), (false, Self.hostile)] : []
                for (showsHelp, trouble) in [(false, "")] + others {
                    var state = TopState(view: view, trouble: trouble, pane: pane, showsHelp: showsHelp)
                    state.isPaused = showsHelp
                    for scroll in pane == .all ? [0] : [0, 7, .max, -1] {
                        state.scroll = scroll
                        Self.check(state, rows, columns, .blocks, name)
                    }
                }
            }
        }
        Self.check(TopState(view: view), 24, 80, .plain, name)
        Self.check(TopState(view: nil), 24, 80, .blocks, name)
    }

    @Test func everyNumberOfCPUsFits() {
        for cpus in 1...256 {
            for pane in [TopState.Pane.all, .cpus] {
                let view = Self.view(cpus: cpus, caches: max(1, cpus / 8))
                Self.check(TopState(view: view, pane: pane), 24, 80, .blocks, "\(cpus)")
            }
        }
    }

    private static func text(_ state: TopState, _ rows: Int = 24, _ columns: Int = 80, _ glyphs: Glyphs = .blocks)
        -> [String]
    {
        TopPicture(state, rows: rows, columns: columns, glyphs: glyphs).lines.map(\.text)
    }

    @Test func aSmallScreenHasABitOfEverything() {
        let text = Self.text(TopState(view: Self.view(cpus: 8, caches: 2, layers: 3))).joined(separator: "\n")
        for word in [
            "plain, deployment 12, active", "CPUS", "p50 32us, p99 1.2ms", "QUEUES", "COUNTERS", "LAYERS", "EVENTS",
            "q quit",
        ] {
            #expect(text.contains(word), "\(word) in\n\(text)")
        }
    }

    /// Whatever is not on the screen: it is said that there is more, and the pane of its own has it.
    @Test func nothingIsLostSilently() {
        let view = Self.view(cpus: 256, caches: 32, layers: 16, queues: 100)
        let all = Self.text(TopState(view: view))
        #expect(all.contains { $0.contains("of 28 lines: key 4") }, "\(all)")
        for (pane, wanted) in [
            (TopState.Pane.cpus, (0..<256).map { " \($0) " }), (.queues, (0..<100).map { "plain[\($0)]" }),
            (.counters, (0..<16).map { "layer\($0)_ns" }), (.events, (0..<20).map { "message \($0) " }),
        ] {
            var state = TopState(view: view, pane: pane)
            var seen = ""
            repeat {
                let picture = TopPicture(state, rows: 24, columns: 80, glyphs: .blocks)
                seen += picture.lines.map(\.text).joined(separator: "\n") + "\n"
                if state.scroll >= picture.mostScroll { break }
                #expect(seen.contains("up and down show the others"))
                state.move(.pageDown, page: picture.page, most: picture.mostScroll)
            } while true
            for word in wanted { #expect(seen.contains(word), "\(word)") }
        }
        // Too few lines for every part: what is left out is named.
        let few = Self.text(TopState(view: view), 12)
        #expect(few.contains { $0.contains("not shown here") && $0.contains("events (key 5)") }, "\(few)")
        // A line that is cut says so.
        let cut = Self.text(TopState(view: view), 24, 30)
        #expect(cut.contains { $0.hasSuffix("…") })
    }

    @Test func aMachineWithoutSchedExtSaysWhatIsMissing() {
        let view = WireView.with { view in
            (view.kernel.release, view.kernel.missing, view.at) = ("6.1.0", ["CONFIG_SCHED_CLASS_EXT"], 1)
            view.cpus = [.with { $0.busy = 0.5 }, .with { ($0.cpu, $0.busy) = (1, 1) }]
            view.missing = ["/sys/kernel/sched_ext is missing"]
        }
        let text = Self.text(TopState(view: view)).joined(separator: "\n")
        for word in [
            "the kernel's default scheduler", "Linux 6.1.0 without sched_ext", "75% busy", "! CONFIG_SCHED_CLASS_EXT",
            "! /sys/kernel/sched_ext is missing",
        ] {
            #expect(text.contains(word), "\(word) in\n\(text)")
        }
        #expect(!text.contains("COUNTERS"))
        let report = TopReport.text(view, columns: 100, glyphs: .plain)
        #expect(report.contains("/sys/kernel/sched_ext is missing"))
        #expect(!report.contains { !$0.isASCII })
    }

    @Test func figuresThatAreNoneAreHarmless() {
        var view = Self.view(cpus: 5)
        for (index, value) in [Double.nan, .infinity, -.infinity, -1, 1e300].enumerated() {
            view.cpus[index].busy = value
        }
        for (index, value) in [Double.nan, .infinity, -1e300, 1e300].enumerated() {
            view.counters[index].perSecond = value
            view.counters[index].unit = "ns"
            view.counters[index].total = .max
        }
        view.waits.counts = Array(repeating: .max, count: 200)
        (view.waits.p50Nanoseconds, view.waits.p99Nanoseconds) = (.max, .max)
        (view.at, view.deployment.attachedAt) = (.max, .min + 1)
        view.cpus[0].cpu = .max
        view.cpus[1].queued = .max
        for pane in TopState.Pane.allCases { Self.check(TopState(view: view, pane: pane), 24, 80, .blocks, "figures") }
        #expect(!TopReport.text(view, columns: 80, glyphs: .blocks).isEmpty)
    }

    @Test func aReportLeavesNothingOut() {
        let view = Self.view(cpus: 256, caches: 32, layers: 16, queues: 100)
        let text = TopReport.text(view, columns: 100, glyphs: .blocks)
        for word in (0..<256).map({ " \($0) " }) + (0..<16).map({ "layer\($0)_ns" })
            + (0..<20).map({ "message \($0) " })
        {
            #expect(text.contains(word), "\(word)")
        }
    }

    @Test func roomIsShared() {
        #expect(TopLayout.share(20, among: [3, 3, 3]) == [3, 3, 3])
        #expect(TopLayout.share(6, among: [9, 9, 9]) == [2, 2, 2])
        #expect(TopLayout.share(7, among: [9, 9, 9]) == [3, 2, 2])
        #expect(TopLayout.share(12, among: [3, 9, 2]) == [3, 7, 2])
        #expect(TopLayout.share(5, among: [9, 9, 9]) == [3, 2, 0])
        #expect(TopLayout.share(1, among: [1, 9]) == [1, 0])
        #expect(TopLayout.share(0, among: []) == [])
    }
}

/// Keys, intervals and figures.
@Suite struct TopKeyTests {
    @Test(arguments: [
        ("q", [TopKey.quit]), ("p \u{0C}", [.pause, .refresh, .redraw]), ("+-=", [.longer, .shorter, .longer]),
        ("\u{1B}[A\u{1B}OB", [.up, .down]), ("\u{1B}[5~\u{1B}[6~", [.pageUp, .pageDown]), ("\u{1B}[1;5Aq", [.quit]),
        ("\u{1B}[Z\t", [.previous, .next]), ("15", [.pane(1), .pane(5)]), ("\u{1B}[H\u{1B}[F", [.home, .end]),
        ("\u{1B}q", [.quit]), ("\u{1B}\u{1B}[Aq", [.up, .quit]), ("é漢\u{0}xyz", []),
        ("\u{1B}[999999999999999999999qq", [.quit]),
        ("\u{1B}[<0;10;10Mq", [.quit]),
    ])
    func bytesAreKeys(_ text: String, _ keys: [TopKey]) {
        var whole = KeyReader()
        #expect(whole.read(Array(text.utf8)) == keys)
        var parts = KeyReader()
        #expect(text.utf8.flatMap { parts.read([$0]) } == keys)
    }

    @Test func scrollingStaysWithin() {
        var state = TopState()
        for key in [TopKey.up, .pageUp, .home, .down, .pageDown, .end, .pageDown] {
            state.move(key, page: 10, most: 15)
            #expect((0...15).contains(state.scroll))
        }
        #expect(state.scroll == 15)
        state.showNext(1)
        #expect(state.scroll == 0)
        #expect(state.pane == .cpus)
        state.showNext(-2)
        #expect(state.pane == .events)
    }

    @Test func intervalsHaveEnds() {
        var interval = TopInterval(milliseconds: 1000)
        for _ in 0..<20 { interval = interval.shorter }
        #expect(interval.milliseconds == 200)
        for _ in 0..<20 { interval = interval.longer }
        #expect(interval.milliseconds == 3_600_000)
        #expect(TopInterval(milliseconds: 700).longer.milliseconds == 1000)
        #expect(TopInterval(milliseconds: 700).text == "700ms")
    }

    @Test(arguments: [
        (UInt64(0), "0ns"), (950, "950ns"), (1024, "1us"), (1_250, "1.2us"), (16_384, "16us"), (999_999, "1ms"),
        (1_200_000, "1.2ms"), (3_100_000_000, "3.1s"), (99_000_000_000, "99s"), (120_000_000_000, "2m"),
        (.max, "5124095h"),
    ])
    func durationsAreShort(_ nanoseconds: UInt64, _ text: String) {
        #expect(TopNumbers.duration(nanoseconds) == text)
    }

    @Test func countsAndRatesAreShort() {
        #expect(TopNumbers.count(99_999) == "99999")
        #expect(TopNumbers.count(123_456) == "123k")
        #expect(TopNumbers.count(.max) == "18E")
        #expect(TopNumbers.rate(0.01) == "0")
        #expect(TopNumbers.rate(3.14) == "3.1")
        #expect(TopNumbers.rate(2e6) == "2M")
        #expect(TopNumbers.rate(.nan) == "?")
        #expect(TopNumbers.counter(5_000_000_000, 1.5e9, unit: "ns") == ("5s", "1.5s/s"))
        #expect(TopNumbers.age(195_000_000_000) == "3m15s")
        #expect(TopNumbers.age(.min) == "0s")
    }

    @Test func wideCharactersTakeTwoCells() {
        #expect(Cells.width("abc") == 3)
        #expect(Cells.width("漢字") == 4)
        #expect(Cells.width("한글") == 4)
        #expect(Cells.width("😀") == 2)
        #expect(Cells.fit("漢字漢字", 5) == "漢字…")
        #expect(Cells.fit("漢字漢字", 4) == "漢…")
        #expect(Cells.fit("abc", 3) == "abc")
        #expect(Cells.fit("abcd", 3) == "ab…")
        #expect(Cells.fit("abc", 0) == "")
        #expect(Cells.clean("e\u{301}\u{1B}[m\n") == "e\u{FFFD}[m ")
        let line = Line("abc", .bold) + Line("def")
        #expect(line.fit(3, mark: "…").text == "ab…")
        #expect(line.fit(5, mark: "…").text == "abcd…")
        #expect(line.fit(6, mark: "…").text == "abcdef")
        #expect(line.ansi(isColoured: true) == "\u{1B}[1mabc\u{1B}[0mdef")
        #expect(line.ansi(isColoured: false) == "abcdef")
    }

    @Test func theLocaleDecidesWhatIsDrawn() {
        #expect(Glyphs.of(environment: ["LANG": "C.UTF-8"]) == .blocks)
        #expect(Glyphs.of(environment: ["LANG": "de_DE.utf8", "LC_ALL": "C"]) == .plain)
        #expect(Glyphs.of(environment: [:]) == .plain)
        #expect(Glyphs.blocks.bar(0.5, cells: 4) == "██  ")
        #expect(Glyphs.blocks.bar(.nan, cells: 2) == "  ")
        #expect(Glyphs.blocks.column(0.001) == "▁")
        #expect(Glyphs.blocks.column(0) == " ")
    }
}
