import Model
import Repository
import Synchronization
import TestSupport
import Testing

@testable import Deployment

/// A plan is done in its order; wherever it fails, what was begun is undone in reverse, and the ledger says so.
@Suite(.timeLimit(.minutes(10))) struct ExecutorTests {
    static let plans: [[DeploymentAction]] = [
        DeploymentAction.deployment(replacing: false, foreign: false),
        DeploymentAction.deployment(replacing: true, foreign: false),
        DeploymentAction.deployment(replacing: false, foreign: true),
        DeploymentAction.deployment(replacing: true, foreign: true),
    ]

    enum Done: Hashable {
        case performed(DeploymentAction), undone(DeploymentAction), late(DeploymentAction)
    }

    struct FailAt: Stops {
        let place: String
        func reach(_ place: String) throws(Failure) {
            if place == self.place { throw Failure(.internal, place) }
        }
    }

    private struct Run {
        var done: [Done] = []
        var failure: Failure?
        var ledger: [LedgerEntry] = []
    }

    private static func run(
        _ plan: [DeploymentAction], stops: any Stops = NoStops(), failing: DeploymentAction? = nil
    ) async throws -> Run {
        let folder = try TemporaryFolder()
        let journal = try SQLiteJournal(path: folder.path("schedcp.sqlite"))
        let id = try await journal.begin(Parts.spec("s"), at: 1).id
        let done = Mutex<[Done]>([])
        var run = Run()
        do throws(Failure) {
            try await Executor.run(
                plan, of: id, ledger: journal, stops: stops,
                perform: { action throws(Failure) in
                    done.withLock { $0.append(.performed(action)) }
                    if action == failing { throw Failure(.attachFailed, action.rawValue) }
                }, undo: { action in done.withLock { $0.append(.undone(action)) } },
                late: { action, _ in done.withLock { $0.append(.late(action)) } })
        } catch { run.failure = error }
        run.done = done.withLock { $0 }
        run.ledger = try await journal.ledger(of: id)
        return run
    }

    @Test(arguments: plans) func everythingIsDoneInOrderAndWrittenBefore(_ plan: [DeploymentAction]) async throws {
        let run = try await Self.run(plan)
        #expect(run.failure == nil)
        #expect(run.done == plan.map { .performed($0) })
        #expect(run.ledger.map(\.action) == plan)
        #expect(run.ledger.allSatisfy { $0.mark == .begun })
    }

    /// Fails itself, just before it, or just after it.
    @Test(arguments: plans) func whereverItFailsWhatWasBegunIsUndone(_ plan: [DeploymentAction]) async throws {
        let commit = try #require(plan.firstIndex(of: .commit))
        for (index, action) in plan.enumerated() {
            let begun = Array(plan[...index])
            for place in ["itself", "before \(action.rawValue)", "after \(action.rawValue)"] {
                let run =
                    place == "itself"
                    ? try await Self.run(plan, failing: action) : try await Self.run(plan, stops: FailAt(place: place))
                let isLate = index > commit || (index == commit && place.hasPrefix("after"))
                if isLate {
                    #expect(run.failure == nil, "\(place)")
                    #expect(run.done.contains(.late(action)), "\(place)")
                    #expect(!run.done.contains { if case .undone = $0 { true } else { false } }, "\(place)")
                    #expect(run.ledger.map(\.action) == plan, "\(place)")
                } else {
                    #expect(run.failure?.message == (place == "itself" ? action.rawValue : place))
                    let undone = run.done.compactMap { if case .undone(let action) = $0 { action } else { nil } }
                    #expect(undone == begun.reversed(), "\(place)")
                    let marks = run.ledger.filter { $0.mark == .undone }.map(\.action)
                    #expect(marks == begun.reversed(), "\(place)")
                }
            }
        }
    }

    /// A disk that is full right after the commit keeps the previous deployment's end from nobody.
    @Test func whatFollowsTheCommitIsDoneWithoutTheLedger() async throws {
        let folder = try TemporaryFolder()
        let journal = try SQLiteJournal(path: folder.path("schedcp.sqlite"))
        let id = try await journal.begin(Parts.spec("s"), at: 1).id
        let plan = DeploymentAction.deployment(replacing: true, foreign: false)
        let ledger = FailingAfter(journal: journal, action: .activate)
        let done = Mutex<[Done]>([])
        try await Executor.run(
            plan, of: id, ledger: ledger, stops: NoStops(),
            perform: { action throws(Failure) in done.withLock { $0.append(.performed(action)) } },
            undo: { action in done.withLock { $0.append(.undone(action)) } },
            late: { action, _ in done.withLock { $0.append(.late(action)) } })
        #expect(
            done.withLock { $0 } == plan.dropLast().map { .performed($0) } + [
                .late(.retirePrevious), .performed(.retirePrevious),
            ])
    }

    /// A journal whose ledger refuses everything after an action.
    private struct FailingAfter: DeploymentLedger {
        let journal: SQLiteJournal
        let action: DeploymentAction

        func mark(_ id: Int64, _ entry: LedgerEntry) async throws(Failure) {
            let known = try await journal.ledger(of: id)
            if known.contains(where: { $0.action == action }) { throw Failure(.storage, "the disk is full") }
            try await journal.mark(id, entry)
        }
    }

    @Test func noActionBelongsToBothKindsOfPlan() {
        for plan in Self.plans {
            #expect(Set(plan).isDisjoint(with: DeploymentAction.rollback))
            #expect(Set(plan).count == plan.count)
            #expect(plan.contains(.commit))
        }
        #expect(Set(Self.plans.joined()).union(DeploymentAction.rollback) == Set(DeploymentAction.allCases))
    }
}
