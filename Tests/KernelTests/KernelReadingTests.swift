import Kernel
import Linux
import Model
import TestSupport
import Testing

extension KernelTests {
    @Suite struct KernelABITests {
        @Test(.enabled(if: HostProbe.kernelBTF().verdict == .found, "this kernel has no BTF"))
        func thisKernelsTypesAreRead() throws {
            let abi = try KernelABI.read()
            #expect(abi.enumerators.keys.allSatisfy { !$0.isEmpty })
            #expect(abi.truncated.isSubset(of: Set(abi.enumerators.keys)))
            guard HostProbe.schedExt().verdict == .found else { return }
            #expect(abi.enumerators["SCX_SLICE_DFL"] == 20_000_000)
            #expect(abi.enumerators["SCX_DSQ_GLOBAL"] == 1 << 63 | 1)
        }

        @Test func readingTwiceGivesTheSame() throws {
            guard HostProbe.kernelBTF().verdict == .found else {
                let failure = #expect(throws: Failure.self) { try KernelABI.read() }
                #expect(failure?.code == .kernelUnsupported)
                return
            }
            let (first, second) = (try KernelABI.read(), try KernelABI.read())
            #expect(first.enumerators == second.enumerators)
        }
    }
}

/// /sys/kernel/sched_ext, played by a folder.
@Suite struct SchedExtTests {
    struct Fake {
        let folder: TemporaryFolder

        init(state: String, sequence: String = "7\n", rejected: String = "0\n", switchAll: String = "1\n") throws {
            folder = try TemporaryFolder()
            try folder.write(state, to: "state")
            try folder.write(sequence, to: "enable_seq")
            try folder.write(rejected, to: "nr_rejected")
            try folder.write(switchAll, to: "switch_all")
        }

        var kernel: SchedExt { SchedExt(folder: folder.path) }
    }

    @Test func disabled() throws {
        let fake = try Fake(state: "disabled\n", switchAll: "0\n")
        // What a scheduler left behind is not shown as running.
        try fake.folder.write("old\n", to: "root/ops")
        let state = fake.kernel.read()
        #expect(state == KernelState(supported: true, state: "disabled", enableSequence: 7))
        #expect(!state.isOccupied)
        #expect(fake.kernel.isSupported)
    }

    @Test func enabled() throws {
        let fake = try Fake(state: "enabled\n", sequence: "18446744073709551615\n", rejected: "3\n")
        try fake.folder.write("vtime_1.0\n", to: "root/ops")
        let expected = KernelState(
            supported: true, state: "enabled", ops: "vtime_1.0", enableSequence: .max, rejected: 3, switchAll: true)
        #expect(fake.kernel.read() == expected)
        #expect(fake.kernel.read().isOccupied)
    }

    @Test(arguments: ["enabling", "disabling", "enabled"]) func inBetween(_ word: String) throws {
        let fake = try Fake(state: word + "\n")
        let state = fake.kernel.read()
        #expect(state.state == word)
        // There may be no root/ops at that moment.
        #expect(state.ops.isEmpty)
        #expect(state.isOccupied)
    }

    @Test func eachReadingAsksAnew() throws {
        let fake = try Fake(state: "disabled\n")
        let kernel = fake.kernel
        #expect(kernel.read().state == "disabled")
        // The kernel's own files stay the same.
        try fake.folder.overwrite("state", "enabled\n")
        try fake.folder.overwrite("enable_seq", "8\n")
        try fake.folder.write("fifo\n", to: "root/ops")
        #expect(kernel.read().state == "enabled")
        #expect(kernel.read().enableSequence == 8)
        #expect(kernel.read().ops == "fifo")
    }

    @Test(arguments: ["state", "enable_seq", "nr_rejected", "switch_all"])
    func aMissingFileIsAKernelWithoutIt(_ name: String) throws {
        let fake = try Fake(state: "enabled\n")
        try fake.folder.remove(name)
        #expect(!fake.kernel.isSupported)
        #expect(fake.kernel.read() == KernelState(supported: false))
    }

    @Test func noFolderIsAKernelWithoutIt() {
        let kernel = SchedExt(folder: "/nonexistent/sched_ext")
        #expect(!kernel.isSupported)
        #expect(kernel.read() == KernelState(supported: false))
        #expect(kernel.events().isEmpty)
    }

    @Test(arguments: ["", "\n", "seven\n", "-1\n", "99999999999999999999999\n"]) func numbersThatAreNone(_ text: String)
        throws
    {
        let state = try Fake(state: "enabled\n", sequence: text, rejected: text).kernel.read()
        #expect(state.enableSequence == 0)
        #expect(state.rejected == 0)
    }

    @Test func aLongStateIsCutAndNoCrash() throws {
        let state = try Fake(state: String(repeating: "x", count: 5000)).kernel.read()
        #expect(state.state.utf8.count == 128)
        let bytes = try Fake(state: "")
        try bytes.folder.write([0xFF, 0xFE, 0x0A], to: "state")
        #expect(bytes.kernel.read().supported)
    }

    @Test func theCountersAreShownAsTheyAre() throws {
        let fake = try Fake(state: "enabled\n")
        try fake.folder.write("SCX_EV_X 1\n", to: "root/events")
        #expect(fake.kernel.events() == "SCX_EV_X 1\n")
    }

    @Test func theMachinesOwn() {
        #expect(SchedExt().isSupported == (HostProbe.schedExt().verdict == .found))
        #expect(SchedExt().read().supported == SchedExt().isSupported)
    }

    @Test func itsFilesAreClosedWithIt() throws {
        let fake = try Fake(state: "enabled\n")
        let path = fake.folder.path("state")
        func use() {
            let kernel = fake.kernel
            #expect(kernel.read().supported)
            #expect(ProcessFacts.ownDescriptors(on: path) == 1)
        }
        use()
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
    }
}
