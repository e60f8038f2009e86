import Kernel
import Model
import Testing

@testable import Torture

@Suite(.timeLimit(.minutes(5))) struct CatalogueTests {
    private let machine = Machine(cpus: [0, 1], removable: [1], cgroups: "/sys/fs/cgroup")

    @Test func everyLoadHasItsOwnNameAndMakesSense() {
        #expect(Set(LoadCatalogue.names).count == LoadCatalogue.names.count)
        for kind in LoadCatalogue.all {
            for cpus in [1, 2, 4, 64] {
                let tasks = kind.tasks(cpus: cpus)
                #expect(tasks >= kind.fewestTasks && tasks <= Board.workers / 2, "\(kind.name)")
            }
            let load = kind.init(tasks: 3)
            #expect(load.tasks == 3 && load.milliseconds > 0 && load.interval > 0, "\(kind.name)")
        }
    }

    @Test func quickIsAPartOfFull() {
        var options = TortureOptions()
        let quick = LoadCatalogue.loads(for: options, machine: machine).map { $0.name }
        options.effort = .full
        let full = LoadCatalogue.loads(for: options, machine: machine).map { $0.name }
        #expect(Set(quick).isSubset(of: full) && quick.count < full.count)
        #expect(full.last == "hotplug")
        #expect(!full.contains("fair-shares"))
        options.promises = ["fair_by_weight": "true"]
        #expect(LoadCatalogue.loads(for: options, machine: machine).contains { $0.name == "fair-shares" })
    }

    @Test func whatTheMachineCannotDoIsLeftOut() {
        let small = LoadCatalogue.loads(for: TortureOptions(), machine: Machine(cpus: [0])).map { $0.name }
        #expect(!small.contains("hotplug") && !small.contains("cgroups") && small.contains("pinned"))
    }

    @Test func namedLoadsAloneAreRun() {
        var options = TortureOptions()
        options.loads = ["exec", "idle"]
        #expect(Set(LoadCatalogue.loads(for: options, machine: machine).map { $0.name }) == ["exec", "idle"])
        options.loads = ["hotplug", "idle"]
        #expect(LoadCatalogue.loads(for: options, machine: Machine(cpus: [0])).map { $0.name } == ["idle"])
    }

    @Test func groupsHaveNamesThatTheProbeReads() {
        #expect(Stage.name(ofGroup: 1) == "~1")
        #expect(Stage.name(ofGroup: 40) == "~X")
        #expect(Set((1..<64).map(Stage.name(ofGroup:))).count == 63)
    }

    @Test func everyCheckOfTheJudgeIsInTheCatalogue() {
        let names = [
            "attach", "ejected", "fairness", "guest", "hotplug", "hung", "idle", "kernel-log", "never-ran", "reattach",
            "rejected", "stall", "starvation", "work-conservation",
        ]
        for name in names { #expect(CheckCatalogue.named(name)?.stage == .dynamic, "\(name)") }
    }

    @Test func theBoardIsSharedAndClears() throws {
        let board = try Board()
        let slot = board.slot(3)
        slot.step()
        slot.step()
        slot.wake(1, 7)
        board.phase = .stopping
        #expect(slot.progress == 2 && slot.low(1) == 7 && slot.low(0) == 0 && board.phase == .stopping)
        board.clear()
        #expect(slot.progress == 0 && slot.low(1) == 0 && board.phase == .starting)
        #expect(board.slot(Board.workers + 5).progress == 0)
    }
}
