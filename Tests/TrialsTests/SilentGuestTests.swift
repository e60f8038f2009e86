import Foundation
import GuestProtocol
import Model
import Testing

@testable import Linux
@testable import MicroVM
@testable import Trials

/// An agent on a socket of this computer that says what a test tells it to, and then nothing more.
enum FakeAgent {
    /// Runs `body` with a machine whose agent answers a command with these messages.
    static func with<R: Sendable>(
        answering answers: @escaping @Sendable (_ channel: UInt32) -> [Message], _ body: (QEMUMachine) async throws -> R
    ) async throws -> R {
        let folder = try HostFile.privateFolder("schedcp-fake")
        defer { HostFile.removeFolder(folder) }
        let socket = folder + "/agent.sock"
        Thread.detachNewThread { try? serve(socket, answers) }
        let machine = QEMUMachine(
            console: try ConsoleLog(), folder: folder, accelerator: .tcg, session: GuestSession(), stopped: Promise())
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                machine.session.end(await machine.session.serve(socket: socket, startLimit: .seconds(20)))
            }
            defer { group.cancelAll() }
            _ = try await machine.guest
            return try await body(machine)
        }
    }

    /// Until the host closes the connection.
    private static func serve(_ socket: String, _ answers: (UInt32) -> [Message]) throws {
        let connection = try GuestSystem.acceptOne(socket)
        var decoder = FrameDecoder()
        try HostFile.write(Frame.preamble[...], to: connection.raw)
        // The connection does not block: an agent polls.
        while HostFile.waitReadable(connection.raw, milliseconds: 30_000) {
            let bytes = try HostFile.read(connection.raw, limit: 65536)
            if bytes.isEmpty { return }
            decoder.append(bytes)
            while let frame = decoder.next() {
                let replies: [Message] =
                    switch try Message(frame) {
                    case .hello(let hello): [.hello(Hello(session: hello.session, features: [.commands]))]
                    case .execute(let channel, _): answers(channel)
                    default: []
                    }
                for reply in replies { try HostFile.write(try reply.frame().encoded[...], to: connection.raw) }
            }
        }
    }
}

@Suite(.timeLimit(.minutes(5)))
struct SilentGuestTests {
    static func said(_ records: [TrialRecord]) -> [UInt8] { records.flatMap(TrialReport.lines(for:)) }

    @Test func aGuestThatFallsSilentIsGivenUp() async throws {
        let transcript = Kept(TrialTranscript())
        let error = try await FakeAgent.with(answering: { channel in
            [
                .started(channel: channel, process: 7),
                .output(channel: channel, Self.said([.began(step: "attach", subject: "")])),
            ]
        }) { machine in
            await #expect(throws: MachineError.self) {
                try await TrialMachine.run(
                    ["dynamic"], in: machine, limit: .seconds(4), grace: .milliseconds(200)
                ) { record in transcript.change { $0.add(record) } }
            }
        }
        #expect(error?.code == .timedOut)
        let run = CommandRun(transcript: transcript.value)
        let report = Verdicts.dynamic(MachineRun(dynamic: run, error: error), shape: .twoCPUs)
        #expect(report.verdict == .failed)
        #expect(report.findings.map(\.message) == ["the machine stopped answering during 'attach'"])
    }

    @Test func aCommandThatItsGuestEndsTellsWhy() async throws {
        let end = try await FakeAgent.with(answering: { channel in
            [
                .started(channel: channel, process: 7),
                .errorOutput(channel: channel, Array("first\nsegmentation fault\n".utf8)),
                .output(channel: channel, Self.said([.done(.passed)]) + Array("noise\n".utf8)),
                .exited(channel: channel, CommandExit(.signal(9), timedOut: true)),
            ]
        }) { machine in
            try await TrialMachine.run(["load"], in: machine, limit: .seconds(20)) { _ in }
        }
        #expect(end.complaint == "it took too long and was ended: segmentation fault")
        #expect(end.strangeLines == 1)
    }

    @Test func aGuestThatDoesNotStartTheCommandIsAnError() async throws {
        let error = await #expect(throws: MachineError.self) {
            try await FakeAgent.with(answering: { channel in
                [.failed(channel: channel, GuestFailure(.system, "no such file"))]
            }) { machine in
                try await TrialMachine.run(["load"], in: machine, limit: .seconds(20)) { _ in }
            }
        }
        #expect(error?.code == .refused)
    }
}
