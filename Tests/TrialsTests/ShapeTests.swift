import MicroVM
import Model
import Testing

@testable import Trials

@Suite(.timeLimit(.minutes(5)))
struct ShapeTests {
    @Test func quickIsOneMachineAndFullIsAll() {
        #expect(TrialShape.all(for: .quick).map(\.name) == ["2-cpus"])
        let full = TrialShape.all(for: .full)
        #expect(full.first?.name == "2-cpus")
        #expect(Set(full.map(\.topology)).count == 6)
        #expect(Set(full.map(\.name)).count == 6)
    }

    static func options(_ shape: TrialShape, isFirst: Bool, fair: Bool = false) -> [String] {
        var candidate = TrialCandidate(object: [])
        if fair { candidate.promises = ["fair_by_weight": "true", "a": "b"] }
        return TrialMachine.options(
            MachineJob(
                shape: shape, candidate: candidate, effort: .full, withLoad: isFirst, withDynamic: true,
                lifetime: .seconds(1), loaded: { _ in true }, progress: { _ in }))
    }

    @Test func theFirstMachineDoesEverything() {
        #expect(Self.options(.twoCPUs, isFirst: true) == ["--effort", "full", "--shape", "2-cpus"])
    }

    @Test func theOthersDoWhatDependsOnTheirShape() throws {
        for shape in TrialShape.all(for: .full).dropFirst() {
            let words = Self.options(shape, isFirst: false, fair: true)
            #expect(words.prefix(4) == ["--promise", "a=b", "--promise", "fair_by_weight=true"])
            let loads = try #require(words.last).split(separator: ",")
            #expect(loads.contains("fair-shares"))
            #expect(loads.contains("hotplug") == (shape.topology.cpus > 1))
        }
    }
}
