import Linux
import TestSupport
import Testing

@Suite struct CPUListTests {
    static let lists: [(String, [Int])] = [
        ("0", [0]), ("0-3", [0, 1, 2, 3]), ("0-1,8,10-11", [0, 1, 8, 10, 11]), ("0-0", [0]), ("3,1", [3, 1]), ("", []),
        ("\n", []), ("0-3\n", [0, 1, 2, 3]), (" 1 , 2 ", [1, 2]), ("65535", [65535]), ("65536", []), ("0-65536", []),
        ("-1", []), ("5-", []), ("-", []), ("3-1", []), ("1-2-3", []), ("a", []), ("1,a,2", [1, 2]), ("1,,2", [1, 2]),
        (",", []), ("0x1", []), ("1.5", []), ("99999999999999999999", []), ("0-99999999999999999999", []),
    ]

    @Test(arguments: lists) func whatItSays(text: String, numbers: [Int]) { #expect(CPUList.parse(text) == numbers) }

    @Test func everyRangeOfASmallMachine() {
        for low in 0..<20 {
            for high in low..<20 { #expect(CPUList.parse("\(low)-\(high)") == Array(low...high)) }
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func randomTextNeverCrashes(seed: UInt64) {
        var random = Seeded(seed)
        let alphabet = Array("0123456789-, \nx")
        for _ in 0..<2000 {
            let text = String((0..<random.below(24)).map { _ in alphabet[random.below(alphabet.count)] })
            #expect(CPUList.parse(text).allSatisfy { (0..<65536).contains($0) })
        }
    }
}

@Suite struct CPUTopologyTests {
    /// A folder like /sys/devices/system/cpu.
    struct Fake {
        let folder: TemporaryFolder

        init(possible: String) throws {
            folder = try TemporaryFolder()
            try folder.write(possible, to: "possible")
        }

        func cache(cpu: Int, index: Int, level: String, shared: String) throws {
            try folder.write(level + "\n", to: "cpu\(cpu)/cache/index\(index)/level")
            try folder.write(shared + "\n", to: "cpu\(cpu)/cache/index\(index)/shared_cpu_list")
        }

        var topology: CPUTopology { CPUTopology.read(root: folder.path) }
    }

    @Test func twoLastLevelCaches() throws {
        let fake = try Fake(possible: "0-7\n")
        for cpu in 0..<8 {
            try fake.cache(cpu: cpu, index: 0, level: "1", shared: "\(cpu)")
            try fake.cache(cpu: cpu, index: 2, level: "2", shared: "\(cpu)")
            try fake.cache(cpu: cpu, index: 3, level: "3", shared: cpu < 4 ? "0-3" : "4-7")
        }
        #expect(fake.topology.llcOfCPU == [0, 0, 0, 0, 1, 1, 1, 1])
        #expect(fake.topology.llcCount == 2)
    }

    @Test func interleavedCachesAreNumberedInOrder() throws {
        let fake = try Fake(possible: "0-5")
        for cpu in 0..<6 { try fake.cache(cpu: cpu, index: 3, level: "3", shared: ["0,3", "1,4", "2,5"][cpu % 3]) }
        #expect(fake.topology.llcOfCPU == [0, 1, 2, 0, 1, 2])
        #expect(fake.topology.llcCount == 3)
    }

    @Test func offlineCPUsAreInTheFirst() throws {
        let fake = try Fake(possible: "0-3")
        for cpu in [0, 3] { try fake.cache(cpu: cpu, index: 3, level: "3", shared: "\(cpu)") }
        #expect(fake.topology.llcOfCPU == [0, 0, 0, 1])
    }

    @Test func theDeepestLevelCountsWhateverItsNumber() throws {
        let fake = try Fake(possible: "0-1")
        for cpu in 0..<2 {
            try fake.cache(cpu: cpu, index: 9, level: "1", shared: "\(cpu)")
            try fake.cache(cpu: cpu, index: 0, level: "2", shared: "0-1")
        }
        #expect(fake.topology.llcCount == 1)
    }

    @Test(arguments: ["", "\n", "abc", "0-99999999", "65536"]) func withoutAListItIsOneCPU(_ possible: String) throws {
        #expect(try Fake(possible: possible).topology.llcOfCPU == [0])
        #expect(CPUTopology.read(root: "/nonexistent").llcOfCPU == [0])
    }

    @Test func noCacheInformationIsOneCache() throws {
        let fake = try Fake(possible: "0-3")
        #expect(fake.topology == CPUTopology(llcOfCPU: [0, 0, 0, 0]))
        #expect(fake.topology.llcCount == 1)
        // And half of it is as good as none.
        try fake.folder.write("3", to: "cpu1/cache/index3/level")
        try fake.folder.write("x", to: "cpu2/cache/index3/level")
        try fake.folder.write("0-3", to: "cpu2/cache/index3/shared_cpu_list")
        #expect(fake.topology.llcCount == 1)
    }

    @Test func holesInTheListOfPossibleCPUs() throws {
        let fake = try Fake(possible: "0,4")
        for cpu in [0, 4] { try fake.cache(cpu: cpu, index: 3, level: "3", shared: "\(cpu)") }
        #expect(fake.topology.llcOfCPU == [0, 0, 0, 0, 1])
    }

    @Test func thisMachineHasAtLeastOne() {
        let topology = CPUTopology.read()
        #expect(!topology.llcOfCPU.isEmpty)
        #expect(topology.llcOfCPU.allSatisfy { $0 < topology.llcCount })
    }
}

@Suite struct KernelConfigTests {
    @Test func onlyYIsOn() {
        let config = KernelConfig(
            text: """
                # comment
                CONFIG_SCHED_CLASS_EXT=y
                CONFIG_BPF_JIT=m
                # CONFIG_DEBUG_INFO_BTF is not set
                CONFIG_EMPTY=
                CONFIG_TEXT="y"
                CONFIG_ODD
                NOT_CONFIG_A=y
                CONFIG_TWICE=n
                CONFIG_TWICE=y
                """, source: "test")
        #expect(config.source == "test")
        #expect(config.isOn("SCHED_CLASS_EXT"))
        #expect(config.isOn("TWICE"))
        for option in ["BPF_JIT", "DEBUG_INFO_BTF", "EMPTY", "TEXT", "ODD", "A", "", "SCHED_CLASS_EXT=y", "NONE"] {
            #expect(!config.isOn(option), "\(option)")
        }
    }

    @Test func theReleaseIsThatOfTheKernel() async throws {
        #expect(KernelConfig.release == TextFile.firstLine("/proc/sys/kernel/osrelease"))
    }
}
