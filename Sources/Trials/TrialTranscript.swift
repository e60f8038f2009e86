import GuestProtocol
import Model

/// What a guest said in one command, bounded.
struct TrialTranscript: Sendable {
    static let maximumRecords = 50_000
    static let maximumViolations = 200
    static let maximumText = 4 << 20

    private(set) var release = ""
    private(set) var buildID = ""
    private(set) var programs: [ProgramFigures] = []
    private(set) var steps: [StepEnd] = []
    /// Steps that began and did not end, in the order in which they began.
    private(set) var openSteps: [(step: String, subject: String)] = []
    private(set) var measurements: [TrialMeasurement] = []
    private(set) var violations: [Violation] = []
    private(set) var kernelLog: [String] = []
    private(set) var verdict: TrialRecord.Verdict?
    /// Logs of the verifier by program, and other longer texts by name, in the order of their first pieces.
    private(set) var logs: [(name: String, text: String)] = []
    private(set) var dumps: [(name: String, text: String)] = []
    private var records = 0
    private var room = Self.maximumText

    mutating func add(_ record: TrialRecord) {
        records += 1
        guard records <= Self.maximumRecords || isDone(record) else { return }
        switch record {
        case .kernel(let release, let build): (self.release, buildID) = (release, build)
        case .program(let figures): programs.append(figures)
        case .verifierLog(let program, let text): append(text, to: program, of: \.logs)
        case .dump(let name, let text): append(text, to: name, of: \.dumps)
        case .began(let step, let subject): openSteps.append((step, subject))
        case .ended(let end):
            openSteps.removeAll { $0.step == end.step && $0.subject == end.subject }
            steps.append(end)
        case .measurement(let figure): measurements.append(figure)
        case .violation(let violation): if violations.count < Self.maximumViolations { violations.append(violation) }
        case .kernelLog(let line): kernelLog.append(line)
        case .done(let verdict): self.verdict = verdict
        }
    }

    private func isDone(_ record: TrialRecord) -> Bool {
        if case .done = record { true } else { false }
    }

    private mutating func append(
        _ text: String, to name: String, of list: WritableKeyPath<TrialTranscript, [(name: String, text: String)]>
    ) {
        guard room > 0 else { return }
        room -= text.utf8.count
        if let index = self[keyPath: list].lastIndex(where: { $0.name == name }) {
            self[keyPath: list][index].text += text
        } else {
            self[keyPath: list].append((name, text))
        }
    }

    /// What was going on when nothing more came, for a sentence; nil when nothing was.
    var unfinished: String? {
        openSteps.last.map { $0.subject.isEmpty ? "'\($0.step)'" : "'\($0.step)' (\($0.subject))" }
    }

    /// The scheduler was put in charge at some time.
    var hasAttached: Bool { openSteps.contains { $0.step == "attach" } || steps.contains { $0.step == "attach" } }
}
