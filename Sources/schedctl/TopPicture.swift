import Foundation
import Wire

/// The screen, as lines: a function of the state and the size. There are never more than `rows` lines, and none takes more than
/// `columns` cells.
struct TopPicture {
    let lines: [Line]
    /// Lines of the pane that are shown at once, and how far it can be scrolled.
    let page: Int
    let mostScroll: Int

    /// - Parameter rows: at least 1.
    init(_ state: TopState, rows: Int, columns: Int, glyphs: Glyphs) {
        let rows = max(1, rows)
        let columns = max(1, columns)
        let layout = TopLayout(state: state, columns: columns, glyphs: glyphs)
        // What tells most stays longest where there are few lines.
        let head = Array((layout.header + (rows > 6 ? [layout.tabs] : [])).prefix(max(1, rows - 1)))
        let foot = rows > 2 ? [layout.keys] : []
        let room = max(0, rows - head.count - foot.count)
        let body = layout.body(room)
        (page, mostScroll) = (body.page, body.mostScroll)
        var all = head + body.lines.prefix(room)
        all += Array(repeating: Line(), count: max(0, rows - foot.count - all.count)) + foot
        lines = all.prefix(rows).map { $0.fit(columns, mark: glyphs.mark) }
    }
}

/// The parts of the screen.
struct TopLayout {
    let state: TopState
    let columns: Int
    let glyphs: Glyphs

    /// One or two lines: what runs, and what is wrong.
    var header: [Line] {
        let trouble = state.trouble.isEmpty ? [] : [Line(" " + Cells.clean(state.trouble), .red)]
        guard let view = state.view else { return [Line(" waiting for the first view", .dim)] + trouble }
        let left = Self.scheduler(view)
        let clock = String(Terminal.time(view.at).suffix(8))
        let kernel = Self.kernel(view)
        let release = Cells.clean(view.kernel.release)
        let short =
            view.kernel.supported ? "\(release) \(Cells.clean(view.kernel.state))" : "\(release) without sched_ext"
        // As much of the kernel as there is room for beside what runs, else a line of its own.
        for right in ["\(kernel)  \(clock)", kernel, short].map({ Line($0 + " ", .dim) })
        where left.cells + right.cells + 2 <= columns {
            return [left.padded(to: columns - right.cells) + right] + trouble
        }
        return [left, Line(" \(kernel)", .dim)] + trouble
    }

    static func scheduler(_ view: WireView) -> Line {
        let kernel = view.kernel
        guard view.hasDeployment, kernel.owner == .ours else {
            let name = kernel.owner == .foreign ? Cells.clean(kernel.ops) : "the kernel's default scheduler"
            return Line(" \(name)", .bold) + Line(kernel.owner == .foreign ? ", loaded by another program" : "")
        }
        let it = view.deployment
        let age = it.attachedAt > 0 && view.at > it.attachedAt ? " for \(TopNumbers.age(view.at - it.attachedAt))" : ""
        let by = it.actorUser.isEmpty ? "" : ", by \(Cells.clean(it.actorUser))"
        return Line(" \(Cells.clean(it.scheduler))", .bold) + Line(", deployment \(it.id), ")
            + Line(Cells.clean(it.state), it.state == "active" ? .green : .yellow) + Line("\(age)\(by)")
    }

    /// What the kernel lacks, and what could not be read.
    static func missing(_ view: WireView) -> [Line] {
        ((view.kernel.supported ? [] : view.kernel.missing) + view.missing).map {
            Line(" ! " + Cells.clean($0), .yellow)
        }
    }

    static func kernel(_ view: WireView) -> String {
        let kernel = view.kernel
        let scheduling = kernel.supported ? "sched_ext \(Cells.clean(kernel.state))" : "without sched_ext"
        return "Linux \(Cells.clean(kernel.release)) \(scheduling)"
    }

    var tabs: Line {
        var line = Line(" ")
        for pane in TopState.Pane.allCases {
            line = line + Line("\(pane.number) \(pane.name)", pane == state.pane ? .reverse : nil) + Line("  ")
        }
        // Also without colours it is seen which one is shown.
        line = line + Line(" [\(state.pane.name)] every \(state.interval.text)")
        return state.isPaused ? line + Line("  PAUSED", .yellow) : line
    }

    var keys: Line {
        Line(" q quit  p pause  space now  +/- interval  tab 1-5 part  up/down scroll  h help", .dim)
    }

    func body(_ room: Int) -> (lines: [Line], page: Int, mostScroll: Int) {
        if state.showsHelp { return scrolled(Self.help.map { Line($0) }, room) }
        guard let view = state.view else { return ([], room, 0) }
        let missing = Self.missing(view)
        let sections = TopSections(view: view, columns: columns, glyphs: glyphs)
        if state.pane == .all { return (overview(missing, sections, room), room, 0) }
        let parts = sections.of(state.pane).map { [$0.head] + $0.lines }
        let lines = parts.isEmpty ? [Line(" nothing of that kind is known here", .dim)] : Array(parts.joined())
        return scrolled((state.pane == .events ? missing : []) + lines, room)
    }

    private func scrolled(_ lines: [Line], _ room: Int) -> (lines: [Line], page: Int, mostScroll: Int) {
        guard lines.count > room, room > 1 else { return (Array(lines.prefix(room)), room, 0) }
        let page = room - 1
        let most = lines.count - page
        let start = min(max(0, state.scroll), most)
        let place = Line(
            " lines \(start + 1) to \(start + page) of \(lines.count); up and down show the others", .yellow)
        return (lines[start..<start + page] + [place], page, most)
    }

    static let help = [
        " q, Control-C  end                      p          hold the picture, or go on",
        " space         a new picture at once    + -        more or less time between",
        " 1 to 5, tab   parts of the picture     up, down   scroll; page up, page down",
        " Control-Z     stop, until fg           Control-L  draw everything again",
        "",
        " cpus      how busy each is, by last-level cache; q3: three tasks in its queue",
        " waiting   how long tasks waited for a CPU once they were ready, by powers of 2",
        " queues    tasks in the scheduler's other dispatch queues",
        " counters  the scheduler's own: per second, and since it was deployed",
        " layers    shares of the layers, where it has them; see schedctl tune",
        " events    what happened to the machine's scheduler, the newest last",
        "",
        " h             back",
    ]
}
