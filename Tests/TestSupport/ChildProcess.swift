import Foundation
import Synchronization

/// A process that a test started, with its output in files. It is killed with the last reference to it.
package final class ChildProcess: Sendable {
    package enum Ending: Hashable, Sendable {
        case status(Int32)
        case signal(Int32)
    }

    private struct State {
        var ending: Ending?
        var waiting: [CheckedContinuation<Ending, Never>] = []
    }

    package let pid: Int32
    private let folder: TemporaryFolder
    private let state = Mutex(State())

    package init(_ program: String, _ arguments: [String], environment: [String: String]? = nil, input: String = "")
        throws
    {
        folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        if let environment { process.environment = environment }
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder.write(input, to: "input")))
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.write("", to: "output")))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.write("", to: "errors")))
        let (stream, ended) = AsyncStream.makeStream(of: Ending.self)
        process.terminationHandler = { process in
            let isSignal = process.terminationReason == .uncaughtSignal
            ended.yield(isSignal ? .signal(process.terminationStatus) : .status(process.terminationStatus))
            ended.finish()
        }
        try process.run()
        pid = process.processIdentifier
        Task { [weak self] in
            for await ending in stream { self?.finish(ending) }
        }
    }

    deinit {
        if state.withLock({ $0.ending }) == nil { kill(pid, SIGKILL) }
    }

    package var output: String { folder.text("output") }
    package var errors: String { folder.text("errors") }
    package var isRunning: Bool { state.withLock { $0.ending } == nil }

    package func signal(_ number: Int32) { kill(pid, number) }

    /// How it ended, once it has.
    package func ending() async -> Ending {
        await withCheckedContinuation { continuation in
            let ending = state.withLock { state in
                if state.ending == nil { state.waiting.append(continuation) }
                return state.ending
            }
            if let ending { continuation.resume(returning: ending) }
        }
    }

    private func finish(_ ending: Ending) {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.ending = ending
            return state.waiting
        }
        waiting.forEach { $0.resume(returning: ending) }
    }
}

/// A program run to its end.
package struct Command: Sendable {
    package let ending: ChildProcess.Ending
    package let output: String
    package let errors: String

    package var status: Int32? { if case .status(let status) = ending { status } else { nil } }

    package static func run(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = [:], input: String = ""
    ) async throws -> Command {
        let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let child = try ChildProcess(program, arguments, environment: all, input: input)
        let ending = await child.ending()
        return Command(ending: ending, output: child.output, errors: child.errors)
    }
}
