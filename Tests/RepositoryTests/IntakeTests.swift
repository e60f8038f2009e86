import Model
import Repository
import TestSupport
import Testing

/// What is installed becomes entries, and what was tried is recognised.
@Suite(.timeLimit(.minutes(5))) struct IntakeTests {
    private static func primitive(_ changes: [String: String?] = [:], then tail: String = "") -> String {
        var all: [String: String?] = [
            "name": "\"queue\"", "version": "\"1.0.0\"", "object_file": nil, "source_file": "\"queue.bpf.h\"",
        ]
        for (key, value) in changes { all[key] = value }
        return Samples.toml(all, then: tail)
    }

    /// One scheduler that is made of one primitive.
    private static func folder() throws -> TemporaryFolder {
        let folder = try Samples.folder(
            Samples.toml([
                "version": "\"1.0.0\"", "source_file": "\"good.bpf.c\"", "uses": "[\"queue\"]",
                "features": "[\"hotplug\"]",
            ]))
        try folder.write("the source", to: "good.bpf.c")
        try folder.write(primitive(), to: "primitives/queue.toml")
        try folder.write("the header", to: "primitives/queue.bpf.h")
        return folder
    }

    @Test func whatIsInstalledBecomesEntries() async throws {
        let folder = try Self.folder()
        let catalog = Catalog.read(folder: folder.path)
        #expect(catalog.problems.isEmpty && catalog.primitives.count == 1)
        let repository = try TestRepository()
        let report = try await repository.open.takeIn(catalog, at: 1)
        #expect(report.problems.isEmpty && report.added.map(\.description) == ["queue@1.0.0", "good@1.0.0"])
        let scheduler = try await repository.open.entry(EntryKey("good@1.0.0"))
        #expect(scheduler.entry.source == SourceText(file: "good.bpf.c", text: "the source"))
        #expect(scheduler.entry.artifact == ArtifactStore.digest(Samples.object))
        #expect(scheduler.entry.uses.map(\.text) == ["queue"] && scheduler.entry.features == ["hotplug"])
        #expect(scheduler.entry.provenance == Provenance(.shipped, maker: "SchedCP"))
        #expect(scheduler.status == .candidate)
        let primitive = try await repository.open.entry(EntryKey("queue@1.0.0"))
        #expect(primitive.entry.kind == .primitive && primitive.entry.source?.text == "the header")
        #expect(primitive.entry.artifact == ArtifactStore.digest(Array("the header".utf8)))
        // Once.
        #expect(try await repository.open.takeIn(catalog, at: 2) == IntakeReport())
        try await repository.reopen()
        #expect(try await repository.open.takeIn(catalog, at: 3) == IntakeReport())
    }

    @Test func aNewVersionIsTakenInBesideTheOld() async throws {
        let folder = try Self.folder()
        let repository = try TestRepository()
        _ = try await repository.open.takeIn(Catalog.read(folder: folder.path), at: 1)
        try folder.write(Self.primitive(["version": "\"1.1.0\""]), to: "primitives/queue.toml")
        let report = try await repository.open.takeIn(Catalog.read(folder: folder.path), at: 2)
        #expect(report.added.map(\.description) == ["queue@1.1.0"] && report.problems.isEmpty)
        let entry = try await repository.open.newest(SchedulerName("queue")).entry
        #expect(entry.provenance.parent?.description == "queue@1.0.0" && !entry.provenance.change.isEmpty)
    }

    @Test func anotherContentOfTheSameVersionIsNamed() async throws {
        let folder = try Self.folder()
        let repository = try TestRepository()
        _ = try await repository.open.takeIn(Catalog.read(folder: folder.path), at: 1)
        try folder.write("another object", to: "good.bpf.o")
        let report = try await repository.open.takeIn(Catalog.read(folder: folder.path), at: 2)
        #expect(report.added.isEmpty && report.problems.count == 1)
        #expect(report.problems.first?.contains("good@1.0.0") == true)
        let entry = try await repository.open.entry(EntryKey("good@1.0.0")).entry
        #expect(entry.artifact == ArtifactStore.digest(Samples.object))
    }

    @Test func aVersionThatIsNoneOrGoesBackIsNamed() async throws {
        let folder = try Self.folder()
        let repository = try TestRepository()
        _ = try await repository.open.takeIn(Catalog.read(folder: folder.path), at: 1)
        for version in ["1.2", "0.9.0", "new"] {
            try folder.write(Self.primitive(["version": "\"\(version)\""]), to: "primitives/queue.toml")
            let report = try await repository.open.takeIn(Catalog.read(folder: folder.path), at: 2)
            #expect(report.added.isEmpty && report.problems.count == 1)
        }
    }

    @Test func primitivesThatUseEachOtherAreTakenInInOrder() async throws {
        let folder = try Self.folder()
        for (name, used) in [("aa", "zz"), ("zz", "queue"), ("loop", "loop2"), ("loop2", "loop")] {
            let changes = ["name": "\"\(name)\"", "source_file": "\"\(name).bpf.h\"", "uses": "[\"\(used)\"]"]
            try folder.write(Self.primitive(changes), to: "primitives/\(name).toml")
            try folder.write("header of \(name)", to: "primitives/\(name).bpf.h")
        }
        let repository = try TestRepository()
        let report = try await repository.open.takeIn(Catalog.read(folder: folder.path), at: 1)
        #expect(report.added.map(\.name.text) == ["queue", "zz", "aa", "good"])
        #expect(report.problems.count == 2)
    }

    static let badPrimitives: [[String: String?]] = [
        ["object_file": "\"x.bpf.o\""], ["source_file": nil], ["source_file": "\"../x.h\""], ["name": "\"other\""],
        ["source_file": "\"missing.h\""],
    ]

    @Test(arguments: badPrimitives) func aBadPrimitiveIsLeftOutAndNamed(_ changes: [String: String?]) throws {
        let folder = try Self.folder()
        try folder.write(Self.primitive(changes), to: "primitives/queue.toml")
        let catalog = Catalog.read(folder: folder.path)
        #expect(catalog.primitives.isEmpty && catalog.policies.count == 1 && catalog.problems.count == 1)
        #expect(catalog.problems.first?.hasPrefix("primitives/queue.toml: ") == true)
    }

    @Test func tunablesCountersAndTargetsAreRead() throws {
        let tail = """

            [[tunables]]
            name = "live_us"
            type = "u32"
            default = 5

            [[counters]]
            name = "first"
            description = "one"

            [[counters]]
            name = "second"
            unit = "ns"
            description = "two"

            [[counters]]
            name = "third"
            index = 31
            description = "three"

            [[targets]]
            class = "batch"
            metric = "makespan"
            """
        let folder = try Samples.folder(Samples.toml(then: Samples.parameter() + tail))
        let policy = try Catalog.read(folder: folder.path).entry(SchedulerName("good")).policy
        #expect(policy.parameters.map(\.name) == ["p", "live_us"] && policy.parameters.map(\.isLive) == [false, true])
        #expect(policy.counters.map(\.index) == [16, 17, 31])
        #expect(policy.counters.map(\.unit) == ["events", "ns", "events"])
        #expect(policy.targets == [Target(workloadClass: "batch", metric: "makespan")])
    }

    static let mistakes = [
        "colour = \"red\"\n", Samples.parameter(["live": "true"]),
        Samples.parameter() + Samples.parameter().replacing("parameters", with: "tunables"),
        "\n[[tunables]]\nname = \"p\"\ntype = \"u32\"\ndefault = 1\nlive = true\n",
        "\n[[counters]]\nname = \"c\"\n", "\n[[counters]]\nname = \"c\"\ndescription = \"d\"\nindex = 15\n",
        "\n[[counters]]\nname = \"c\"\ndescription = \"d\"\nindex = 32\n",
        "\n[[counters]]\nname = \"c\"\ndescription = \"d\"\nslot = 16\n",
        "\n[[counters]]\nname = \"c\"\ndescription = \"d\"\n\n[[counters]]\nname = \"c\"\ndescription = \"d\"\n",
        "\n[[counters]]\nname = \"c\"\ndescription = \"d\"\nindex = 17\n\n[[counters]]\nname = \"e\"\n"
            + "description = \"d\"\n",
        "\n[[targets]]\nclass = \"batch\"\n", "\n[[targets]]\nclass = \"batch\"\nmetric = \"m\"\nbetter = \"lower\"\n",
        "\n[[hints]]\nkind = \"process\"\nmap = \"m\"\nsize = 3\n", "uses = [\"../x\"]\n", "features = \"all\"\n",
    ]

    @Test(arguments: mistakes) func aMistakeInADescriptionIsNamed(_ tail: String) throws {
        let folder = try Samples.folder(Samples.toml(then: tail))
        let catalog = Catalog.read(folder: folder.path)
        #expect(catalog.policies.isEmpty && catalog.problems.count == 1)
    }

    @Test func whatIsShippedIsTakenIn() async throws {
        let folder = try TemporaryFolder()
        try await Checkout.install(into: folder)
        let repository = try TestRepository()
        let report = try await repository.open.takeIn(Catalog.read(folder: folder.path("schedulers")), at: 1)
        #expect(report.problems.isEmpty)
        for name in Checkout.schedulers {
            let entry = try await repository.open.newest(SchedulerName(name)).entry
            #expect(entry.provenance.origin == .shipped && !entry.features.isEmpty)
        }
    }
}

@Suite struct FingerprintTests {
    private static let code = "int f(void) { return g(\"a  // b\", 'x'); }"

    @Test(arguments: [
        "int f(void)\n{\n\treturn g(\"a  // b\", 'x');\n}\n",
        "/* why */ int f(void) { return g(\"a  // b\", 'x'); } // end",
        "int f(void) { // first\n  return /* \" */ g(\"a  // b\", 'x'); }",
        "\n\n  int   f(void)\r\n{ return g(\"a  // b\", 'x'); }",
    ]) func commentsAndSpacingDoNotMatter(_ other: String) {
        #expect(Fingerprint.of(source: other) == Fingerprint.of(source: Self.code))
    }

    @Test(arguments: [
        "int f(void) { return g(\"a // b\", 'x'); }", "int h(void) { return g(\"a  // b\", 'x'); }", "",
        "int f(void) { return g(\"a  // b\", ' '); }", "int f(void) { return g(\"a  /* b\", 'x'); }",
    ]) func theCodeDoes(_ other: String) {
        #expect(Fingerprint.of(source: other) != Fingerprint.of(source: Self.code))
    }

    @Test func settingsMatterInAnyOrder() {
        let (a, b) = (Setting(name: "a", value: "1"), Setting(name: "b", value: "2"))
        let both = Fingerprint.of(source: "x", settings: [a, b])
        #expect(Fingerprint.of(source: "x", settings: [b, a]) == both)
        #expect(Fingerprint.of(source: "x", settings: [a]) != both)
        #expect(Fingerprint.of(source: "x") != both)
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>) func anyTextHasOne(_ seed: UInt64) {
        var random = Seeded(seed)
        let pieces = ["/*", "*/", "//", "\"", "'", "\\", "\n", " ", "x", "/", "*"]
        let text = (0..<random.below(40)).map { _ in pieces[random.below(pieces.count)] }.joined()
        #expect(Fingerprint.of(source: text).utf8.count == 64)
        #expect(Fingerprint.of(source: text) == Fingerprint.of(source: text))
    }
}
