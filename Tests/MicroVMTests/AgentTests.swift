import GuestProtocol
import Testing

@testable import Linux
@testable import MicroVM

@Suite(.timeLimit(.minutes(5))) struct AgentTests {
    @Test func aCommandGivesOutputErrorsAndStatus() async throws {
        try await LocalAgent.with { machine in
            let result = try await machine.run("echo out; echo err >&2; exit 3")
            #expect(result.stdout == "out\n")
            #expect(result.stderr == "err\n")
            #expect(result.status == 3)
            #expect(!result.timedOut)
            #expect(try await machine.guest.kernelRelease == GuestSystem.kernelRelease)
            #expect(try await machine.guest.features.contains([.commands, .files, .terminals]))
        }
    }

    @Test func inputArrivesWhole() async throws {
        try await LocalAgent.with { machine in
            let input = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let result = try await machine.run(["cat"], input: input)
            #expect(result.stdoutBytes == input)
            // A command that reads nothing does not hold up its result.
            #expect(try await machine.run(["true"], input: input + input + input).isSuccess)
        }
    }

    @Test func allOutputComesBeforeTheEnd() async throws {
        try await LocalAgent.with { machine in
            let script =
                "i=0; while [ $i -lt 3000 ]; do echo \"line $i\"; echo \"error $i\" >&2; i=$((i+1)); done"
            let result = try await machine.run(script)
            #expect(result.stdout.split(separator: "\n").count == 3000)
            #expect(result.stderr.split(separator: "\n").last == "error 2999")
            let big = try await machine.run("head -c 3000000 /dev/zero")
            #expect(big.stdoutBytes.count == 3_000_000)
        }
    }

    @Test func theWholeGroupIsKilledAtTheTimeLimit() async throws {
        try await LocalAgent.with { machine in
            let result = try await machine.run(
                "echo $$; sleep 1000 & sleep 1000", timeout: .milliseconds(300))
            #expect(result.timedOut)
            #expect(result.exit.reason == .signal(9))
            let group = result.stdout.split(separator: "\n").first.map(String.init) ?? "0"
            // The orphan is reaped by init, at its leisure.
            let gone = try await machine.run(
                "i=0; while pgrep -g \(group) -r S,R,D >/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done; "
                    + "! pgrep -g \(group) -r S,R,D")
            #expect(gone.isSuccess)
        }
    }

    @Test func outputBeyondTheLimitIsCutAndSaidSo() async throws {
        try await LocalAgent.with { machine in
            var request = GuestCommand.request(
                ["sh", "-c", "head -c 100000 /dev/zero; echo fine >&2"], user: nil)
            request.outputLimit = 1000
            let result = try await machine.start(request).collect()
            #expect(result.stdoutBytes.count == 1000)
            #expect(result.exit.outputTruncated && !result.exit.errorTruncated)
            #expect(result.stderr == "fine\n")
            #expect(result.isSuccess)
        }
    }

    @Test func aCommandCanBeTalkedTo() async throws {
        try await LocalAgent.with { machine in
            let process = try await machine.start(
                "echo ready; while read -r line; do echo \"<$line>\"; done; echo end")
            #expect(try await process.line() == "ready")
            try await process.write("one\ntwo\n")
            #expect(try await process.waitFor("<two>\n") == "<one>\n<two>\n")
            try await process.closeInput()
            let result = try await process.finish()
            #expect(result.stdout == "end\n")
            let sleeper = try await machine.start("sleep 1000")
            try await sleeper.kill(15)
            #expect(try await sleeper.finish().exit.reason == .signal(15))
        }
    }

    @Test func waitingForWhatNeverComesEnds() async throws {
        try await LocalAgent.with { machine in
            let process = try await machine.start("sleep 1000")
            await #expect(throws: MachineError.self) { try await process.line(timeout: .milliseconds(100)) }
            await #expect(throws: MachineError.self) { try await process.finish(timeout: .milliseconds(100)) }
            let ended = try await machine.start("echo no")
            await #expect(throws: MachineError.self) { try await ended.waitFor("yes") }
        }
    }

    @Test func aCommandNobodyReadsHoldsUpNobodyElse() async throws {
        try await LocalAgent.with { machine in
            let flood = try await machine.start("cat /dev/zero")
            let results = try await withThrowingTaskGroup(of: Int32.self) { group in
                for status in 0..<20 { group.addTask { try await machine.run("exit \(status)").status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.sorted() == Array(0..<20))
            try await flood.kill(9)
            #expect(try await flood.collect().exit.reason == .signal(9))
        }
    }

    @Test func whoSendsMoreThanTheWindowLosesTheCommand() async throws {
        try await LocalAgent.with { machine in
            let process = try await machine.start("sleep 1000")
            // Past the channel's own accounting, as a host that ignores credits would.
            let chunk = [UInt8](repeating: 0, count: GuestProtocol.maximumChunk)
            for _ in 0...(GuestProtocol.window / chunk.count + 2) {
                try await machine.session.send(.input(channel: 1, chunk))
            }
            await #expect { try await process.collect() } throws: { "\($0)".contains("window") }
            #expect(await HostFile.eventually { !HostFile.exists("/proc/\(process.identifier)") })
        }
    }

    @Test func manyCommandsWithMuchOutputAllEnd() async throws {
        try await LocalAgent.with { machine in
            let sizes = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 {
                    group.addTask { try await machine.run("head -c 400000 /dev/zero").stdoutBytes.count }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(sizes == [Int](repeating: 400_000, count: 40))
        }
    }

    @Test func aTerminalIsOne() async throws {
        try await LocalAgent.with { machine in
            let process = try await machine.start(
                "test -t 0 && test -t 1 && echo yes; stty size; read -r line; stty size; echo $line",
                terminal: TerminalSize(rows: 30, columns: 90))
            #expect(try await process.waitFor("30 90\r\n").hasPrefix("yes"))
            try await process.resize(TerminalSize(rows: 40, columns: 100))
            try await process.write("word\n")
            let rest = try await process.finish().stdout
            #expect(rest.contains("40 100\r\n"))
            #expect(rest.hasSuffix("word\r\n"))
        }
    }

    @Test func filesGoThereAndBack() async throws {
        try await LocalAgent.with { machine in
            let path = machine.folder + "/file"
            let content = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            try await machine.put(content, to: path, mode: 0o640)
            #expect(try await machine.get(path) == content)
            #expect(try await machine.run("stat -c %a \(path); ls \(machine.folder)").stdout == "640\nfile\n")
            await #expect(throws: MachineError.self) { try await machine.get(path, limit: 1000) }
            await #expect(throws: MachineError.self) { try await machine.get("/no/such/file") }
            await #expect(throws: MachineError.self) {
                try await machine.put("x", to: "/no/such/folder/file")
            }
            #expect(try await !machine.get("/proc/version").isEmpty)
            try await machine.succeed("rm \(path)")
        }
    }

    @Test func whatCannotBeStartedSaysWhy() async throws {
        try await LocalAgent.with { machine in
            await #expect { try await machine.run(["no-such-program"]) } throws: {
                ($0 as? MachineError)?.code == .refused && "\($0)".contains("No such file")
            }
            var request = GuestCommand.request(["true"], user: nil)
            request.folder = "/no/such/folder"
            let asked = request
            await #expect(throws: MachineError.self) { try await machine.start(asked) }
            await #expect(throws: MachineError.self) { try await machine.succeed("echo bad >&2; false") }
            let clock = try await machine.ping()
            #expect(clock.sinceBoot > 0)
        }
    }

    @Test func whatTheHostBeganEndsWithIt() async throws {
        let group = try await LocalAgent.with { machine in
            let process = try await machine.start("echo here; exec sleep 1000")
            _ = try await process.line()
            return process.identifier
        }
        #expect(await HostFile.eventually { !HostFile.exists("/proc/\(group)") })
    }
}
