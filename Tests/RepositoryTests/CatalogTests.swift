import Model
import Repository
import TestSupport
import Testing

/// The folder of installed schedulers.
@Suite struct CatalogTests {
    @Test func aGoodEntryIsReadWhole() throws {
        let tail =
            Samples.parameter(["unit": "\"us\"", "description": "\"how long\""])
            + Samples.parameter(["name": "\"flag\"", "type": "\"bool\"", "default": "true", "min": nil, "max": nil])
            + Samples.parameter(["name": "\"wide\"", "type": "\"u64\"", "min": nil, "max": nil])
                + """

                [[hints]]
                kind = "process"
                map = "hint_comm"
                description = "by name"

                [promises]
                starvation = "none"
                bound_ms = 8000
                fair = true
                """
        let folder = try Samples.folder(Samples.toml(then: tail))
        let catalog = Catalog.read(folder: folder.path)
        #expect(catalog.problems.isEmpty)
        let (policy, object) = try catalog.entry(SchedulerName("good"))
        #expect(object == Samples.object)
        #expect(policy.version == "1.2" && policy.summary == "a summary" && policy.description == "text")
        #expect(policy.algorithm == "fifo" && policy.license == "GPL-2.0-only" && policy.kernelMinimum == "6.12")
        #expect(policy.targetWorkloads == ["a", "b"] && policy.notFor == ["c"])
        #expect(policy.artifact == ArtifactStore.digest(Samples.object))
        #expect(policy.parameters.map(\.name) == ["p", "flag", "wide"])
        #expect(policy.parameters[0].range == 1...100 && policy.parameters[0].defaultValue == 10)
        #expect(policy.parameters[0].unit == "us" && policy.parameters[0].description == "how long")
        #expect(policy.parameters[1].range == 0...1 && policy.parameters[1].defaultValue == 1)
        #expect(policy.parameters[2].range == 0...Int128(UInt64.max))
        #expect(policy.hints == [HintSpec(kind: .process, map: "hint_comm", description: "by name")])
        #expect(policy.promises == ["starvation": "none", "bound_ms": "8000", "fair": "true"])
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let toml: String
        /// A word of the problem's line.
        let word: String
    }

    static let missing = Samples.good.keys.filter { !["target_workloads", "not_for"].contains($0) }.sorted().map {
        Bad(testDescription: "without \($0)", toml: Samples.toml([$0: nil]), word: $0)
    }

    static let wrongType = Samples.good.keys.sorted().map {
        Bad(testDescription: "\($0) is a number", toml: Samples.toml([$0: "7"]), word: $0)
    }

    static let other = [
        Bad(testDescription: "no TOML", toml: "name = [", word: "TOML"),
        Bad(testDescription: "a key twice", toml: Samples.toml() + "name = \"good\"\n", word: "TOML"),
        Bad(testDescription: "nothing", toml: "", word: "missing"),
        Bad(testDescription: "another name", toml: Samples.toml(["name": "\"other\""]), word: "other"),
        Bad(testDescription: "a bad name", toml: Samples.toml(["name": "\"Good\""]), word: "name"),
        Bad(testDescription: "a name that is a path", toml: Samples.toml(["name": "\"../good\""]), word: "name"),
        Bad(
            testDescription: "object elsewhere", toml: Samples.toml(["object_file": "\"../good.bpf.o\""]),
            word: "object_file"),
        Bad(
            testDescription: "absolute object", toml: Samples.toml(["object_file": "\"/etc/passwd\""]),
            word: "object_file"),
        Bad(testDescription: "hidden object", toml: Samples.toml(["object_file": "\".good\""]), word: "object_file"),
        Bad(testDescription: "empty object name", toml: Samples.toml(["object_file": "\"\""]), word: "object_file"),
        Bad(
            testDescription: "object missing", toml: Samples.toml(["object_file": "\"none.bpf.o\""]), word: "none.bpf.o"
        ),
        Bad(
            testDescription: "a very long string",
            toml: Samples.toml(["description": "\"" + String(repeating: "x", count: 8193) + "\""]), word: "description"),
        Bad(
            testDescription: "workloads of numbers", toml: Samples.toml(["target_workloads": "[1, 2]"]),
            word: "target_workloads"),
        Bad(testDescription: "mixed not_for", toml: Samples.toml(["not_for": "[\"a\", 2]"]), word: "not_for"),
        Bad(testDescription: "parameters is no array", toml: Samples.toml(["parameters": "3"]), word: "parameters"),
        Bad(testDescription: "parameters of numbers", toml: Samples.toml(["parameters": "[3]"]), word: "parameters"),
        Bad(testDescription: "hints is no array", toml: Samples.toml(["hints": "\"x\""]), word: "hints"),
        Bad(testDescription: "promises is no table", toml: Samples.toml(["promises": "3"]), word: "promises"),
    ]

    static let parameters: [(String, [String: String?])] = [
        ("no name", ["name": nil]), ("no type", ["type": nil]), ("no default", ["default": nil]),
        ("unknown type", ["type": "\"u128\""]), ("float type", ["type": "\"float\""]),
        ("default below", ["default": "0"]), ("default above", ["default": "101"]),
        ("min above max", ["min": "100", "max": "1", "default": "50"]),
        ("max does not fit", ["max": "4294967296"]), ("min does not fit", ["min": "-1"]),
        ("u8", ["type": "\"u8\"", "max": "256"]), ("s8", ["type": "\"s8\"", "min": "-129"]),
        ("bool", ["type": "\"bool\"", "min": nil, "max": "2", "default": "1"]),
        ("default is text", ["default": "\"10\""]), ("default is a float", ["default": "10.5"]),
        ("min is a float", ["min": "1.0"]), ("max is an array", ["max": "[100]"]),
    ]

    static let all =
        missing + wrongType + other
        + parameters.map {
            Bad(testDescription: "parameter: \($0.0)", toml: Samples.toml(then: Samples.parameter($0.1)), word: "")
        }
        + [
            Bad(
                testDescription: "hint kind", toml: Samples.toml(then: "\n[[hints]]\nkind = \"user\"\nmap = \"m\"\n"),
                word: "user"),
            Bad(
                testDescription: "hint map", toml: Samples.toml(then: "\n[[hints]]\nkind = \"process\"\n"), word: "map"),
            Bad(
                testDescription: "the same parameter twice",
                toml: Samples.toml(then: Samples.parameter() + Samples.parameter()),
                word: "p"),
        ]

    @Test(arguments: all) func aBadEntryIsLeftOutAndNamed(_ bad: Bad) throws {
        let folder = try Samples.folder(bad.toml)
        try folder.write(Samples.toml(["name": "\"fine\""]), to: "fine.toml")
        let catalog = Catalog.read(folder: folder.path)
        #expect(catalog.sorted.map(\.name.text) == ["fine"])
        #expect(catalog.problems.count == 1)
        let problem = catalog.problems.first ?? ""
        #expect(problem.hasPrefix("good.toml: "))
        #expect(problem.contains(bad.word))
    }

    @Test func filesThatAreNoDescriptionsAreNotEntries() throws {
        let folder = try Samples.folder(Samples.toml())
        try folder.write("", to: "README.md")
        try folder.write("", to: "other.bpf.o")
        #expect(Catalog.read(folder: folder.path).sorted.count == 1)
        #expect(Catalog.read(folder: folder.path).problems.isEmpty)
    }

    @Test func aDescriptionThatIsNotUTF8IsLeftOut() throws {
        let folder = try Samples.folder("")
        try folder.write(Array(Samples.toml().utf8) + [0x23, 0xFF, 0xFE], to: "good.toml")
        let catalog = Catalog.read(folder: folder.path)
        #expect(catalog.policies.isEmpty)
        #expect(catalog.problems.first?.contains("UTF-8") == true)
    }

    @Test func sizesAreBounded() throws {
        let folder = try Samples.folder(Samples.toml() + "#" + String(repeating: "x", count: 64 * 1024))
        #expect(Catalog.read(folder: folder.path).problems.first?.contains("larger") == true)
        try folder.write(Samples.toml(), to: "good.toml")
        try folder.write([UInt8](repeating: 0, count: Catalog.maxObjectBytes + 1), to: "good.bpf.o")
        #expect(Catalog.read(folder: folder.path).problems.first?.contains("larger") == true)
        try folder.write([UInt8](repeating: 0, count: Catalog.maxObjectBytes), to: "good.bpf.o")
        #expect(Catalog.read(folder: folder.path).problems.isEmpty)
    }

    @Test func linksAndFoldersAndPipesAreNotFollowed() async throws {
        let folder = try Samples.folder(Samples.toml())
        let outside = try TemporaryFolder()
        try outside.write(Samples.object, to: "secret")
        try folder.remove("good.bpf.o")
        try folder.makeLink("good.bpf.o", to: outside.path("secret"))
        #expect(Catalog.read(folder: folder.path).policies.isEmpty)
        try folder.remove("good.bpf.o")
        try folder.makeFolder("good.bpf.o")
        #expect(Catalog.read(folder: folder.path).policies.isEmpty)
        try folder.remove("good.bpf.o")
        #expect(try await Command.run("/usr/bin/mkfifo", [folder.path("good.bpf.o")]).status == 0)
        #expect(Catalog.read(folder: folder.path).problems.count == 1)
        try folder.makeFolder("folder.toml")
        #expect(Catalog.read(folder: folder.path).problems.count == 2)
    }

    @Test func aFolderThatIsNotThereIsSaid() throws {
        let catalog = Catalog.read(folder: "/nonexistent/schedulers")
        #expect(catalog.policies.isEmpty)
        #expect(catalog.problems.count == 1)
        let failure = #expect(throws: Failure.self) { try catalog.entry(SchedulerName("fifo")) }
        #expect(failure?.code == .notFound)
    }

    @Test func anUnknownNameTellsTheKnownOnes() throws {
        let folder = try Samples.folder(Samples.toml())
        let failure = #expect(throws: Failure.self) {
            try Catalog.read(folder: folder.path).entry(SchedulerName("none"))
        }
        #expect(failure?.code == .notFound)
        #expect(failure?.hint.contains("good") == true)
    }

    @Test func anEntryStaysWhatItWasWhenItWasRead() throws {
        let folder = try Samples.folder(Samples.toml())
        let catalog = Catalog.read(folder: folder.path)
        try folder.write("something else", to: "good.bpf.o")
        #expect(try catalog.entry(SchedulerName("good")).object == Samples.object)
    }

    @Test(arguments: Checkout.schedulers) func theSchedulersOfThisRepositoryAreGood(_ name: String) async throws {
        let folder = try TemporaryFolder()
        try await Checkout.install(into: folder)
        let catalog = Catalog.read(folder: folder.path("schedulers"))
        #expect(catalog.problems.isEmpty)
        #expect(catalog.sorted.map(\.name.text) == Checkout.schedulers)
        let (policy, object) = try catalog.entry(SchedulerName(name))
        #expect(policy.artifact == ArtifactStore.digest(object))
        #expect(policy.license == "GPL-2.0-only")
        #expect(policy.kernelMinimum == "6.12")
        #expect(!policy.targetWorkloads.isEmpty && !policy.notFor.isEmpty && !policy.promises.isEmpty)
        for parameter in policy.parameters {
            #expect(!parameter.unit.isEmpty && !parameter.description.isEmpty)
            #expect(parameter.range != parameter.type.representable)
        }
    }
}
