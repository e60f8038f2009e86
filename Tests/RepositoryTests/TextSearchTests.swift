import Model
import Repository
import TestSupport
import Testing

/// The text index, the vectors and the nearest outcomes, as the search will use them.
@Suite(.timeLimit(.minutes(5))) struct TextSearchTests {
    private static func library() async throws -> TestRepository {
        let repository = try TestRepository()
        for (name, summary, target) in [
            ("fifo", "First come, first served", "throughput: parallel builds"),
            ("latency", "Wakeup latency first", "interactive work beside a build"),
            ("ljf", "Longest expected job first", "batches whose last job counts"),
        ] {
            try await repository.open.add(
                Policies.entry("\(name)@1.0.0") { entry in
                    entry.summary = summary
                    entry.targetWorkloads = [target]
                    entry.notFor = ["databases with many connections"]
                })
        }
        return repository
    }

    private static func ids(_ text: String, _ repository: TestRepository) async throws -> [Int64] {
        try await repository.open.matches(text, filter: EntryFilter(), limit: 10).map(\.id)
    }

    @Test func wordsFindEntries() async throws {
        let repository = try await Self.library()
        #expect(try await Self.ids("wakeup", repository) == [2])
        #expect(try await Self.ids("WAKEUPS!", repository) == [2])
        #expect(try await Self.ids("build background", repository).sorted() == [1, 2])
        #expect(try await Self.ids("builds", repository).sorted() == [1, 2])
        // What an entry is not for does not attract.
        #expect(try await Self.ids("databases", repository).isEmpty)
        #expect(try await Self.ids("ljf", repository) == [3])
        let best = try await repository.open.matches("longest job batch", filter: EntryFilter(), limit: 1)
        #expect(best.first?.id == 3)
        #expect(best.first?.terms == ["longest", "job", "batch"])
        #expect((best.first?.score ?? 0) > 0)
    }

    @Test func scoresFallAndWeightsCount() async throws {
        let repository = try await Self.library()
        let found = try await repository.open.matches("first job builds", filter: EntryFilter(), limit: 10)
        #expect(found.count == 3)
        #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
        let byTarget = TextWeights(name: 0, summary: 0, targets: 5, description: 0, algorithm: 0)
        let other = try await repository.open.matches("first builds", filter: .any, weights: byTarget, limit: 10)
        #expect(other.first?.id == 1 || other.first?.id == 2)
        let bad = TextWeights(name: .nan)
        await #expect(throws: Failure.self) {
            try await repository.open.matches("first", filter: .any, weights: bad, limit: 10)
        }
    }

    @Test(arguments: [
        "first\"", "first OR", "NOT first", "first AND NOT served", "NEAR(first served)", "name:first", "{name}:first",
        "first*", "^first", "(first", "first)", "-first", "first + served", "'; DROP TABLE entry; -- first",
        "first\0served", "a\u{202E}first", "ﬁrst first", "first%", "first_served", "🔥 first",
    ]) func whatAPersonWritesIsNoQueryLanguage(_ text: String) async throws {
        let repository = try await Self.library()
        #expect(try await Self.ids(text, repository).contains(1))
        #expect(try await repository.open.list(filter: .any).count == 3)
    }

    @Test func anyTextIsAnsweredOrRefused() async throws {
        let repository = try await Self.library()
        for seed in 1...300 as ClosedRange<UInt64> {
            var random = Seeded(seed)
            let text = random.text(60)
            do throws(Failure) {
                _ = try await repository.open.matches(text, filter: EntryFilter(), limit: 5)
            } catch { #expect(error.code == .invalidArgument, "\(text.quotedForDisplay())") }
        }
    }

    @Test(arguments: ["", "   \n", "...", "\u{0}", "!?"]) func aSearchForNothingIsRefused(_ text: String) async throws {
        let repository = try await Self.library()
        let failure = await #expect(throws: Failure.self) {
            try await repository.open.matches(text, filter: EntryFilter(), limit: 5)
        }
        #expect(failure?.code == .invalidArgument)
    }

    @Test func aHundredKilobytesAreRefused() async throws {
        let repository = try await Self.library()
        let text = String(repeating: "first ", count: 20_000)
        let failure = await #expect(throws: Failure.self) {
            try await repository.open.matches(text, filter: EntryFilter(), limit: 5)
        }
        #expect(failure?.code == .invalidArgument)
    }

    @Test func filtersHoldForText() async throws {
        let repository = try await Self.library()
        try await repository.open.add(Policies.entry("fifo@1.1.0") { $0.summary = "First come, first served, again" })
        #expect(try await Self.ids("served", repository) == [4])
        #expect(try await repository.open.matches("served", filter: .any, limit: 10).count == 2)
        let verified = EntryFilter(statuses: [.verified])
        #expect(try await repository.open.matches("served", filter: verified, limit: 10).isEmpty)
        try await repository.open.attest(Policies.attestation(of: repository.open.entry(id: 4).entry))
        #expect(try await repository.open.matches("served", filter: verified, limit: 10).map(\.id) == [4])
        #expect(
            try await repository.open.frequency(of: ["served", "wakeup", "nothing"])
                == ["served": 2, "wakeup": 1, "nothing": 0])
    }

    /// The index of words is damaged, and nothing else: it is made anew from the entries.
    @Test func aDamagedIndexIsMadeAnew() async throws {
        let repository = try await Self.library()
        try await repository.close()
        try SQLiteFile(repository.folder.path(repository.path("policies.sqlite"))).run(
            "UPDATE entry_text_data SET block = zeroblob(length(block)) WHERE id > 10")
        let again = try TestRepository(repository.folder)
        #expect(try await Self.ids("wakeup", again) == [2])
        #expect(try await again.open.list(filter: .any).count == 3)
        try await again.close()
    }

    // MARK: Vectors

    @Test func vectorsAreKeptByModelAndText() async throws {
        let repository = try await Self.library()
        let documents = try await repository.open.documents(after: 0, limit: 10)
        #expect(documents.map(\.id) == [1, 2, 3] && Set(documents.map(\.digest)).count == 3)
        let second = try await repository.open.entry(id: 2).entry
        #expect(documents[1].entry == second)
        #expect(try await repository.open.lacking(model: "a", limit: 2).map(\.id) == [1, 2])
        for document in documents.dropLast() {
            try await repository.open.store([UInt8(document.id)], for: document, model: "a")
        }
        #expect(try await repository.open.lacking(model: "a", limit: 10).map(\.id) == [3])
        #expect(try await repository.open.lacking(model: "b", limit: 10).map(\.id) == [1, 2, 3])
        #expect(try await repository.open.vectors(model: "a", after: 0, limit: 10).map(\.vectors) == [[1], [2]])
        #expect(try await repository.open.vectors(model: "a", ids: [2, 3]).map(\.id) == [2])
        #expect(try await repository.open.vectors(model: "a", after: 2, limit: 10).isEmpty)
        // The same words in another version need no new vectors.
        try await repository.open.add(
            Policies.entry("fifo@1.0.1") { entry in
                let same = documents[0].entry
                (entry.summary, entry.targetWorkloads, entry.notFor) = (same.summary, same.targetWorkloads, same.notFor)
            })
        #expect(try await repository.open.lacking(model: "a", limit: 10).map(\.id) == [3])
        #expect(try await repository.open.vectors(model: "a", ids: [4]).map(\.vectors) == [[1]])
        try await repository.reopen()
        #expect(try await repository.open.vectors(model: "a", ids: [1]).map(\.vectors) == [[1]])
        try await repository.open.forgetVectors(except: "b")
        #expect(try await repository.open.lacking(model: "a", limit: 10).count == 4)
        await #expect(throws: Failure.self) {
            try await repository.open.store([], for: documents[0], model: "a")
        }
        await #expect(throws: Failure.self) {
            try await repository.open.store([1], for: documents[0], model: String(repeating: "m", count: 201))
        }
    }

    // MARK: Outcomes

    @Test func theNearestOutcomesComeFirst() async throws {
        let repository = try TestRepository()
        let entries = [try Policies.entry("a@1.0.0"), try Policies.entry("b@1.0.0")]
        for entry in entries { try await repository.open.add(entry) }
        for (number, tasks) in [10, 100, 1000, 100].enumerated() {
            try await repository.open.record(
                Policies.outcome("o\(number)", of: entries[number % 2]) {
                    $0.workload = WorkloadProfile(workloadClass: "batch", features: ["tasks": Double(tasks)])
                    if number == 3 { $0.machine.cpus = 128 }
                })
        }
        let profile = WorkloadProfile(workloadClass: "batch", features: ["tasks": 100])
        let near = try await repository.open.nearest(
            to: profile, machine: Policies.machine, filter: EntryFilter(), limit: 3)
        #expect(near.map(\.outcome.id) == ["o1", "o3", "o0"] || near.map(\.outcome.id) == ["o1", "o3", "o2"])
        #expect(near[0].profileSimilarity == 1 && near[0].machineSimilarity == 1 && near[0].id == 2)
        #expect(near[1].machineSimilarity < 1)
        let all = try await repository.open.nearest(to: profile, filter: EntryFilter(), limit: 10)
        #expect(all.count == 4 && all.allSatisfy { $0.machineSimilarity == 1 })
        let none = EntryFilter(statuses: [.proven])
        #expect(try await repository.open.nearest(to: profile, filter: none, limit: 10).isEmpty)
        let bad = WorkloadProfile(workloadClass: "batch", features: ["tasks": .nan])
        await #expect(throws: Failure.self) {
            try await repository.open.nearest(to: bad, filter: EntryFilter(), limit: 3)
        }
    }

    @Test func onlyTheNewestPartIsLookedAt() async throws {
        let repository = try TestRepository()
        for number in 1...10 {
            try await repository.open.add(Policies.entry("queue\(number)@1.0.0") { $0.summary = "Tasks are served" })
        }
        func found(_ part: Double) async throws -> [Int64] {
            let matches = try await repository.open.matches("served", filter: .any, part: part, limit: 20)
            return matches.map(\.id).sorted()
        }
        #expect(try await found(1) == Array(1...10))
        #expect(try await found(0.25) == [8, 9, 10])
        #expect(try await found(0).isEmpty)
    }
}
