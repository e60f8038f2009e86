import Wire

/// What `schedctl top` shows, as a value: a picture follows from it and the size of the screen alone.
struct TopState: Hashable, Sendable {
    enum Pane: Int, CaseIterable, Sendable {
        case all, cpus, queues, counters, events

        /// From 1, as its key.
        var number: Int { rawValue + 1 }

        var name: String {
            switch self {
            case .all: "all"
            case .cpus: "cpus"
            case .queues: "queues"
            case .counters: "counters"
            case .events: "events"
            }
        }
    }

    /// The newest; nil until the first has come.
    var view: WireView?
    /// What is wrong with the connection; empty where nothing is.
    var trouble = ""
    var pane = Pane.all
    /// Lines of the pane that are above the screen.
    var scroll = 0
    var isPaused = false
    var showsHelp = false
    var interval = TopInterval(milliseconds: 1000)
}

/// How often a new view is asked for.
struct TopInterval: Hashable, Sendable {
    let milliseconds: UInt32

    static let allowed: ClosedRange<UInt64> = 200...3_600_000
    private static let steps: [UInt32] = [200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 3_600_000]

    var text: String { TopNumbers.duration(UInt64(milliseconds) * 1_000_000) }
    var longer: TopInterval { TopInterval(milliseconds: Self.steps.first { $0 > milliseconds } ?? milliseconds) }
    var shorter: TopInterval { TopInterval(milliseconds: Self.steps.last { $0 < milliseconds } ?? milliseconds) }
}

extension TopState {
    /// - Parameters:
    ///   - page: lines of the pane that the screen shows.
    ///   - most: what `scroll` may be.
    mutating func move(_ key: TopKey, page: Int, most: Int) {
        switch key {
        case .up: scroll -= 1
        case .down: scroll += 1
        case .pageUp: scroll -= max(1, page - 1)
        case .pageDown: scroll += max(1, page - 1)
        case .home: scroll = 0
        case .end: scroll = most
        default: return
        }
        scroll = min(max(0, scroll), most)
    }

    mutating func show(_ pane: Pane) {
        (self.pane, scroll, showsHelp) = (pane, 0, false)
    }

    mutating func showNext(_ step: Int) {
        let all = Pane.allCases
        show(all[(pane.rawValue + step + all.count) % all.count])
    }
}
