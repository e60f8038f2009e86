import Linux
import Testing

@Suite struct ProcessorTimesTests {
    static let before = """
        cpu  300 0 30 600 60 5 5 0 0 0
        cpu0 100 0 10 200 20 5 5 0 0 0
        cpu1 200 0 20 400 40 0 0 0 0 0
        cpu7 1 1 1 1
        intr 12345 0 0
        ctxt 99
        cpux 1 2 3 4 5
        """

    @Test func theLinesOfCPUsAreRead() {
        let times = ProcessorTimes(text: Self.before)
        #expect(times.cpus[0] == .init(busy: 120, all: 340))
        #expect(times.cpus[1] == .init(busy: 220, all: 660))
        #expect(times.cpus[7] == .init(busy: 3, all: 4))
        #expect(times.cpus.count == 3)
    }

    @Test func theShareIsOfWhatPassed() {
        let earlier = ProcessorTimes(text: Self.before)
        let now = ProcessorTimes(
            text: "cpu0 125 0 10 270 25 5 5 0 0 0\ncpu1 150 0 20 400 40 0 0 0\ncpu2 9 9 9 9\ncpu7 1 1 1 1")
        let shares = now.busy(since: earlier)
        #expect(shares[0] == 0.25)
        // A sum that went back, or none that moved, is no work; a CPU that is new has no share yet.
        #expect(shares[1] == 0 && shares[7] == 0 && shares[2] == nil)
    }

    @Test(arguments: [
        "", "cpu", "cpu-1 1 2 3 4", "cpu99999999999999999999 1 2 3 4 5", "cpu5 18446744073709551616 2 3 4 5",
    ])
    func whatIsNoLineOfACPUHarmsNothing(text: String) {
        #expect(ProcessorTimes(text: text).cpus.keys.allSatisfy { $0 == 5 })
    }

    @Test func thisMachineHasSome() throws {
        let times = try #require(ProcessorTimes.read())
        #expect(!times.cpus.isEmpty)
        #expect(times.cpus.values.allSatisfy { $0.all >= $0.busy && $0.all > 0 })
    }
}
