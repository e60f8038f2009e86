import Foundation
import Linux
import Model
import Wire

/// `schedctl top` at a terminal: keys in, pictures out, until `q` or until the terminal is gone.
struct TopSession: ~Copyable {
    private let screen: TerminalScreen
    private let feed: TopFeed
    private let glyphs = Glyphs.of(environment: ProcessInfo.processInfo.environment)
    private var state: TopState
    private var keys = KeyReader()
    /// What is on the screen; empty where nothing is known of it.
    private var shown: [Line] = []
    private var shownSize = (rows: 0, columns: 0)
    private var limits = (page: 0, most: 0)

    /// Runs on a thread of its own, which waits for keys.
    static func run(first: WireView, interval: TopInterval, socket: String) async throws(Failure) {
        let result: Result<Void, SystemError> = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    returning: Result { () throws(SystemError) in
                        var session = try TopSession(first: first, interval: interval, socket: socket)
                        try session.loop()
                    })
            }
        }
        do { try result.get() } catch {
            // Nobody looks any more.
            if error.code == EIO { return }
            throw error.asFailure(.internal, hint: "schedctl top --once prints one view")
        }
    }

    private init(first: WireView, interval: TopInterval, socket: String) throws(SystemError) {
        state = TopState(view: first, interval: interval)
        screen = try TerminalScreen()
        feed = TopFeed(socket: socket, bell: screen.bell)
    }

    private mutating func loop() throws(SystemError) {
        feed.start(every: state.interval, atOnce: false)
        defer { feed.stop() }
        while true {
            try draw()
            switch screen.wait(milliseconds: 5000) {
            case .end: return
            case .nothing: break
            case .keys(let bytes):
                for key in keys.read(bytes) {
                    if key == .quit { return }
                    press(key)
                }
            }
            let new = feed.take()
            state.trouble = new.trouble
            if let view = new.view { state.view = view }
        }
    }

    private mutating func press(_ key: TopKey) {
        switch key {
        case .pause:
            state.isPaused.toggle()
            if state.isPaused { feed.stop() } else { feed.start(every: state.interval, atOnce: true) }
        case .refresh: feed.start(every: state.isPaused ? nil : state.interval, atOnce: true)
        case .longer: change(to: state.interval.longer)
        case .shorter: change(to: state.interval.shorter)
        case .help: (state.showsHelp, state.scroll) = (!state.showsHelp, 0)
        case .redraw: shown = []
        case .next: state.showNext(1)
        case .previous: state.showNext(-1)
        case .pane(let number):
            if let pane = TopState.Pane(rawValue: number - 1) { state.show(pane) }
        case .up, .down, .pageUp, .pageDown, .home, .end:
            state.move(key, page: limits.page, most: limits.most)
        case .quit: break
        }
    }

    private mutating func change(to interval: TopInterval) {
        guard interval != state.interval else { return }
        state.interval = interval
        if !state.isPaused { feed.start(every: interval, atOnce: true) }
    }

    /// Draws the lines that are others than before.
    private mutating func draw() throws(SystemError) {
        let size = screen.size
        let picture = TopPicture(state, rows: size.rows, columns: size.columns, glyphs: glyphs)
        limits = (picture.page, picture.mostScroll)
        state.scroll = min(state.scroll, picture.mostScroll)
        let isLost = screen.takeLoss()
        let isAnew = isLost || shown.isEmpty || size != shownSize
        // Synchronised where the terminal can: no half of a picture is seen.
        var text = "\u{1B}[?2026h" + (isAnew ? "\u{1B}[2J" : "")
        for (row, line) in picture.lines.enumerated() where isAnew || row >= shown.count || shown[row] != line {
            // Erased first: behind a line that is full, the last cell would be erased.
            text += "\u{1B}[\(row + 1);1H\u{1B}[K" + line.ansi(isColoured: Terminal.isColoured)
        }
        // Another size by now: what was drawn would be wrong there, and the next picture comes at once.
        try screen.write(text + "\u{1B}[?2026l")
        (shown, shownSize) = (picture.lines, size)
    }
}
