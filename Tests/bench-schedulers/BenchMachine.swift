import BenchReport
import Linux
import MicroVM

/// Machines of the lab's system with bench-load in them.
struct BenchMachine {
    var options: MachineOptions

    struct Outcome: Sendable {
        var kernel = ""
        var samples: [GuestLine.Sample] = []
        var failures: [String] = []
    }

    /// One command of bench-load.
    struct Job: Sendable {
        /// Of whom it tells.
        var scheduler: String
        var words: [String]
        /// Files that it needs, by their path in the machine.
        var files: [String: [UInt8]]
        var limit: Duration
    }

    /// The loads for one scheduler.
    func job(_ scheduler: String, _ loads: [String], parameters: [String]) throws -> Job {
        let path = "/\(scheduler).bpf.o"
        var words = [path, "--loads", loads.joined(separator: ",")]
        words += ["--runs", "\(options.runs)", "--percent", "\(options.percent)"]
        for parameter in parameters { words += ["--param", parameter] }
        for load in loads {
            for hint in LoadCase.hints(scheduler, load) {
                words += ["--hint", "\(load):\(hint.name)=\(hint.nanoseconds)"]
            }
        }
        let object = try HostFile.bytes("\(options.objects)/\(scheduler).bpf.o")
        let seconds = 60 + loads.count * (options.runs + 1) * 20
        return Job(scheduler: scheduler, words: words, files: [path: object], limit: .seconds(seconds))
    }

    /// Does all jobs in one boot where that is possible; a machine that ended is followed by another one for the rest.
    func run(_ jobs: [Job], _ shape: Shape, finished: (Job, Outcome) throws -> Void) async throws {
        let lab = Lab(scripts: options.lab)
        let image = try await lab.image()
        var spec = image.spec(payload: options.payload)
        spec.topology = Topology(cpus: shape.cpus)
        spec.kernelArguments += shape.kernelArguments
        spec.lifetime = jobs.reduce(.seconds(120)) { $0 + $1.limit }
        spec.consoleFile = options.console
        var (left, faults) = (jobs[...], 0)
        while let next = left.first {
            do {
                try await withVirtualMachine(spec, cache: lab.cache) { machine in
                    while let job = left.first {
                        note("\(job.scheduler), \(shape.cpus) CPUs")
                        var outcome = try await Self.perform(job, in: machine)
                        outcome.kernel = image.release
                        left.removeFirst()
                        try finished(job, outcome)
                    }
                }
            } catch let error as MachineError {
                // The same job again only where the emulator is to blame.
                if error.code == .emulatorFault, faults < 3 {
                    faults += 1
                    continue
                }
                left.removeFirst()
                try finished(next, Outcome(kernel: image.release, failures: ["the machine ended: \(error)"]))
            }
        }
    }

    private static func perform(_ job: Job, in machine: QEMUMachine) async throws -> Outcome {
        for (path, bytes) in job.files { try await machine.put(bytes, to: path, mode: 0o600) }
        // No word of ours needs quoting: names, numbers and paths.
        let script = "exec /opt/bench/bench-load " + job.words.joined(separator: " ")
        return try await listen(to: try await machine.start(script, timeout: job.limit))
    }

    /// Takes lines as they come, so that whoever waits sees how far it is.
    private static func listen(to process: GuestProcess) async throws -> Outcome {
        var outcome = Outcome()
        var (isWhole, rest, errors) = (false, [UInt8](), [UInt8]())
        try await process.closeInput()
        while let event = try await process.next() {
            switch event {
            case .stdout(let bytes):
                rest += bytes
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    if take(String(decoding: rest[..<end], as: UTF8.self), &outcome) { isWhole = true }
                    rest.removeSubrange(...end)
                }
            case .stderr(let bytes): errors += bytes.prefix(max(0, 64 * 1024 - errors.count))
            case .exited: break
            }
        }
        if !isWhole {
            outcome.failures.append("it did not get to its end: \(String(decoding: errors.suffix(500), as: UTF8.self))")
        }
        return outcome
    }

    /// True for the last line of a run that got to its end.
    private static func take(_ line: String, _ outcome: inout Outcome) -> Bool {
        switch GuestLine(line) {
        case .sample(let sample): outcome.samples.append(sample)
        case .failed(let load, let text): outcome.failures.append("\(load): \(text)")
        case .note(let load, let text): note("    \(load): \(text)")
        case .done: return true
        case nil: outcome.failures.append("a line that is none: \(line.prefix(200))")
        }
        return false
    }
}

extension HostFile {
    static func bytes(_ path: String) throws -> [UInt8] { try TextFile.readBytes(path, limit: 8 << 20) }
}
