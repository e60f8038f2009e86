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

    /// All loads of a shape, for one scheduler, in one boot.
    func compare(_ scheduler: String, _ shape: Shape, parameters: [String]) async throws -> Outcome {
        let object = try HostFile.bytes("\(options.objects)/\(scheduler).bpf.o")
        var words = ["/scheduler.bpf.o", "--loads", shape.loads.joined(separator: ",")]
        words += ["--runs", "\(options.runs)", "--percent", "\(options.percent)"]
        for parameter in parameters { words += ["--param", parameter] }
        for load in shape.loads {
            for hint in LoadCase.hints(scheduler, load) {
                words += ["--hint", "\(load):\(hint.name)=\(hint.nanoseconds)"]
            }
        }
        note("\(scheduler), \(shape.cpus) CPUs: \(shape.loads.joined(separator: ", "))")
        let seconds = 60 + shape.loads.count * (options.runs + 1) * 20
        return try await run(words, shape, files: ["/scheduler.bpf.o": object], limit: .seconds(seconds))
    }

    func run(_ words: [String], _ shape: Shape, files: [String: [UInt8]], limit: Duration) async throws -> Outcome {
        let lab = Lab(scripts: options.lab)
        let image = try await lab.image()
        var spec = image.spec(payload: options.payload)
        spec.topology = Topology(cpus: shape.cpus)
        spec.kernelArguments += shape.kernelArguments
        spec.lifetime = limit + .seconds(120)
        spec.consoleFile = options.console
        var attempts = 3
        while true {
            do {
                return try await withVirtualMachine(spec, cache: lab.cache) { machine in
                    for (path, bytes) in files { try await machine.put(bytes, to: path, mode: 0o600) }
                    // No word of ours needs quoting: names, numbers and paths.
                    let script = "exec /opt/bench/bench-load " + words.joined(separator: " ")
                    var outcome = try await Self.listen(to: try await machine.start(script, timeout: limit))
                    outcome.kernel = image.release
                    return outcome
                }
            } catch let error as MachineError where error.code == .emulatorFault && attempts > 1 {
                attempts -= 1
            }
        }
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
