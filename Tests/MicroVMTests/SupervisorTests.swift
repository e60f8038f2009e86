import Subprocess
import Testing

@testable import Linux
@testable import MicroVM

/// A program in QEMU's place, which says who it is and then waits for ever or ends.
struct StandIn {
    let folder: String
    var program: String { folder + "/qemu" }
    var identity: String { folder + "/pid" }
    var kernel: String { folder + "/kernel" }

    init(_ last: String = "exec sleep 1000") throws {
        folder = try HostFile.privateFolder("schedcp-stand-in")
        try HostFile.write(
            "#!/bin/sh\necho $$ >\(folder)/pid.part\nmv \(folder)/pid.part \(folder)/pid\n\(last)\n",
            to: program)
        try HostFile.makeExecutable(program)
        try HostFile.write("", to: kernel)
    }

    var spec: MachineSpec {
        var spec = MachineSpec(kernel: kernel)
        spec.hasAgent = false
        return spec
    }

    /// The process, once it runs.
    func process() async -> String {
        _ = await HostFile.eventually { HostFile.exists(identity) }
        return TextFile.firstLine(identity) ?? ""
    }

    func remove() {
        for file in [program, identity, kernel, folder + "/machine"] { HostFile.remove(file) }
        HostFile.removeFolder(folder)
    }

    static func isRunning(_ process: String) -> Bool {
        // A killed process stays as a zombie until init has noticed.
        guard let text = try? TextFile.read("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return false
        }
        return !text[end...].hasPrefix(") Z")
    }
}

@Suite(.timeLimit(.minutes(5))) struct SupervisorTests {
    @Test func theMachineEndsWithItsScope() async throws {
        let standIn = try StandIn()
        defer { standIn.remove() }
        let (process, folder) = try await QEMU(standIn.program).run(standIn.spec, .tcg) { machine in
            let process = await standIn.process()
            #expect(StandIn.isRunning(process))
            #expect(HostFile.exists(machine.folder))
            return (process, machine.folder)
        }
        #expect(!StandIn.isRunning(process))
        #expect(!HostFile.exists(folder))
    }

    @Test func theMachineEndsWhenItsTaskIsCancelled() async throws {
        let standIn = try StandIn()
        defer { standIn.remove() }
        let task = Task {
            try await QEMU(standIn.program).run(standIn.spec, .tcg) { _ in
                try await Task.sleep(for: .seconds(1000))
            }
        }
        let process = await standIn.process()
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
        #expect(!StandIn.isRunning(process))
    }

    @Test(arguments: [(0, "exit 0"), (7, "exit 7")]) func theEndOfTheEmulatorIsSeen(
        _ status: Int32, _ last: String
    ) async throws {
        let standIn = try StandIn("echo on the console; echo a complaint >&2; \(last)")
        defer { standIn.remove() }
        try await QEMU(standIn.program).run(standIn.spec, .tcg) { machine in
            let exit = try await machine.waitUntilStopped(timeout: .seconds(20))
            #expect(exit == .status(status))
            #expect(machine.console.text == "on the console\n")
        }
    }

    @Test func aMachineThatDiesDuringBootSaysItsLastWords() async throws {
        let standIn = try StandIn("echo Kernel panic; echo no such option >&2; exit 1")
        defer { standIn.remove() }
        var spec = standIn.spec
        spec.hasAgent = true
        let asked = spec
        await #expect {
            try await QEMU(standIn.program).run(asked, .tcg) { _ in }
        } throws: { error in
            let text = "\(error)"
            return text.contains("status 1") && text.contains("Kernel panic")
                && text.contains("no such option")
        }
    }

    @Test func aFaultOfTheEmulatorIsTold() async throws {
        let standIn = try StandIn("echo '[    1.7] Oops: int3: 0000 [#1] SMP NOPTI'; exit 0")
        defer { standIn.remove() }
        var spec = standIn.spec
        spec.hasAgent = true
        let asked = spec
        await #expect {
            try await QEMU(standIn.program).run(asked, .tcg) { _ in }
        } throws: { ($0 as? MachineError)?.code == .emulatorFault }
    }

    @Test func aMachineThatHangsDuringBootIsGivenUp() async throws {
        let standIn = try StandIn()
        defer { standIn.remove() }
        var spec = standIn.spec
        spec.hasAgent = true
        spec.bootLimit = .milliseconds(300)
        let asked = spec
        await #expect {
            try await QEMU(standIn.program).run(asked, .tcg) { _ in }
        } throws: { ($0 as? MachineError)?.code == .timedOut || ($0 as? MachineError)?.code == .startFailed }
        #expect(!StandIn.isRunning(await standIn.process()))
    }

    @Test func aMachineWhoseTimeIsOverIsEnded() async throws {
        let standIn = try StandIn()
        defer { standIn.remove() }
        var spec = standIn.spec
        spec.lifetime = .milliseconds(300)
        let asked = spec
        try await QEMU(standIn.program).run(asked, .tcg) { machine in
            _ = try await machine.waitUntilStopped(timeout: .seconds(20))
        }
        #expect(!StandIn.isRunning(await standIn.process()))
    }

    @Test func theMachineDiesWithItsSupervisor() async throws {
        let standIn = try StandIn()
        defer { standIn.remove() }
        try await QEMU(standIn.program).run(standIn.spec, .tcg) { machine in
            let process = await standIn.process()
            let status = try TextFile.read("/proc/\(process)/status")
            let parent = status.split(separator: "\n").first { $0.hasPrefix("PPid:") }?.split(separator: "\t")
                .last
            let supervisor = try #require(parent.flatMap { Int32($0) })
            HostFile.kill(supervisor)
            #expect(await HostFile.eventually { !StandIn.isRunning(process) })
            await #expect(throws: MachineError.self) {
                try await machine.waitUntilStopped(timeout: .seconds(20))
            }
            try? await Self.removeFolder(machine.folder)
        }
    }

    /// The promise that matters most: the caller has no chance to clean up, and nothing is left all the same.
    @Test func nothingIsLeftWhenTheCallerIsKilled() async throws {
        let standIn = try StandIn()
        defer { standIn.remove() }
        let folder = standIn.folder
        await #expect(processExitsWith: .signal(9)) { [folder = folder as String] in
            let program = folder + "/qemu"
            var spec = MachineSpec(kernel: folder + "/kernel")
            spec.hasAgent = false
            let asked = spec
            try await QEMU(program).run(asked, .tcg) { machine in
                try HostFile.write(machine.folder, to: folder + "/machine")
                _ = await HostFile.eventually { HostFile.exists(folder + "/pid") }
                HostFile.kill(HostFile.process)
                try await Task.sleep(for: .seconds(100))
            }
        }
        let process = await standIn.process()
        let machine = try TextFile.read(folder + "/machine")
        #expect(process != "" && machine.contains("schedcp-vm"))
        #expect(await HostFile.eventually { !StandIn.isRunning(process) })
        #expect(await HostFile.eventually { !HostFile.exists(machine) })
    }

    private static func removeFolder(_ path: String) async throws {
        _ = try await Subprocess.run(
            .name("rm"), arguments: ["-rf", path], output: .discarded, error: .discarded)
    }
}
