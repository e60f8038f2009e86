import FoundationEssentials
import Linux
import Model

/// One compilation in its folder: clang, a look at what it read, and the stripping of what it made.
struct CompileRun {
    let stage: CompileStage
    let folder: CompileFolder
    let name: String
    let source: [UInt8]
    /// The user's include folders, resolved.
    let folders: [String]

    private static let object = "object.o"
    private static let stripped = "stripped.o"
    private static let dependencies = "object.d"

    private var limits: VerificationLimits { stage.limits }

    func result() async throws(Failure) -> CompileResult {
        var arguments = CompileStage.flags(folder: folder.path) + stage.toolchain.options
        for (index, path) in folders.enumerated() {
            arguments += ["-I\(path)", "-ffile-prefix-map=\(path)=include-\(index + 1)"]
        }
        arguments += ["-MD", "-MF", Self.dependencies, "-MT", "object", "-c", folder.sourceName, "-o", Self.object]
        let outcome = try await run(stage.toolchain.clang, arguments)
        if outcome.end == .cancelled { throw Failure(.cancelled, "the compilation was cancelled") }
        let log = String(decoding: outcome.errors + outcome.output, as: UTF8.self)
        let messages = CompileMessages(sourceName: folder.sourceName, name: name, source: source)
        var findings = messages.findings(log, limit: limits.maxFindings)
        let measurements = [
            Measurement("compile.cpu", value: Double(outcome.cpuNanoseconds), unit: "ns"),
            Measurement("compile.memory", value: Double(outcome.peakBytes), unit: "bytes"),
        ]
        if let limit = CompileEnd(limits: limits).finding(of: outcome, log: log) { findings.append(limit) }
        if outcome.end != .exited(0) || findings.contains(where: { $0.severity == .error }) {
            if !findings.contains(where: { $0.severity == .error }) {
                findings.append(
                    Finding(stage: .compile, check: "compile", message: "the compiler failed and said nothing of why"))
            }
            return .failed(findings, measurements: measurements, log: log)
        }
        findings += foreignFiles()
        if findings.contains(where: { $0.severity == .error }) {
            return .failed(findings, measurements: measurements, log: log)
        }
        switch try await strippedObject() {
        case .success(let object):
            let size = Measurement("compile.object", value: Double(object.count), unit: "bytes")
            return .passed(object, findings, measurements + [size], log: log)
        case .failure(let finding):
            return .failed(findings + [finding.value], measurements: measurements, log: log)
        }
    }

    private func run(_ program: String, _ arguments: [String]) async throws(Failure) -> SandboxChild.Outcome {
        try await stage.sandbox.run(
            Sandbox.Job(
                program: program, arguments: arguments, folder: folder.path,
                readable: stage.toolchain.folders + folders, executable: stage.toolchain.interpreters,
                limits: .init(
                    memory: UInt64(limits.compileMemoryBytes),
                    // DWARF, which is stripped, is several times the rest.
                    file: UInt64(limits.maxObjectBytes) * 4, cpuSeconds: UInt64(max(1, limits.compileSeconds)),
                    milliseconds: Int64(limits.compileSeconds) * 1000, output: limits.maxCompileOutputBytes),
                // What __DATE__, __TIME__ and __TIMESTAMP__ give: the same always.
                environment: ["SOURCE_DATE_EPOCH=0"], user: folder.user))
    }

    /// What the compiler read from anywhere but the allowed folders, by its own list.
    private func foreignFiles() -> [Finding] {
        guard let bytes = try? DurableFile.read("\(folder.path)/\(Self.dependencies)", limit: 4 << 20) else {
            return [
                Finding(stage: .compile, check: "compile-include", message: "the list of included files is missing")
            ]
        }
        return CompileDependencies.paths(in: String(decoding: bytes, as: UTF8.self)).compactMap { path in
            let isOwn = !path.hasPrefix("/") && !path.split(separator: "/").contains("..")
            guard !isOwn else { return nil }
            // A link in an include folder may lead anywhere; what counts is where the file is.
            guard let resolved = SandboxFiles.resolved(path.hasPrefix("/") ? path : "\(folder.path)/\(path)"),
                (folders + stage.toolchain.folders + [folder.path]).contains(where: { resolved.hasPrefix("\($0)/") })
            else {
                return Finding(
                    stage: .compile, check: "compile-include",
                    message: "\(path) was included and is in no include folder",
                    why:
                        "A candidate must not read the verifier's files, and must compile to the same object elsewhere.",
                    remedy: "Include by a name below an include folder; -I names more of them.")
            }
            return nil
        }
    }

    private enum Stripped {
        case success([UInt8])
        case failure(Box)

        struct Box { let value: Finding }
    }

    /// The object without DWARF, which is most of it and of no use to a kernel.
    private func strippedObject() async throws(Failure) -> Stripped {
        var file = Self.object
        if let strip = stage.toolchain.strip {
            let isCopier = strip.split(separator: "/").last?.contains("objcopy") == true
            let arguments =
                isCopier
                ? ["--strip-debug", Self.object, Self.stripped] : ["--strip-debug", "-o", Self.stripped, Self.object]
            let outcome = try await run(strip, arguments)
            if outcome.end == .cancelled { throw Failure(.cancelled, "the compilation was cancelled") }
            guard outcome.end == .exited(0) else {
                throw Failure(
                    .internal,
                    "the object could not be stripped: \(String(decoding: outcome.errors, as: UTF8.self).trimmed)",
                    hint: "Is \(strip) of the same release as \(stage.toolchain.clang)?")
            }
            file = Self.stripped
        }
        let path = "\(folder.path)/\(file)"
        do throws(SystemError) {
            return .success(try DurableFile.read(path, limit: limits.maxObjectBytes))
        } catch {
            guard error.isTooLarge else { throw error.asFailure(.internal) }
            return .failure(
                .init(
                    value: Finding(
                        stage: .compile, check: "compile-limits",
                        message: "the object is larger than \(limits.maxObjectBytes >> 10) KiB",
                        why: "Every later stage, and the kernel, would have to hold it.",
                        remedy: "Keep large tables in maps, which take no place in the object.")))
        }
    }
}

/// The files in a list that clang's -MD wrote, as make reads it.
enum CompileDependencies {
    static func paths(in text: String) -> [String] {
        guard let colon = text.firstIndex(of: ":") else { return [] }
        var (paths, current, isEscaped) = ([String](), "", false)
        for character in text[text.index(after: colon)...] {
            if isEscaped {
                isEscaped = false
                if character != "\n" && character != "\r\n" { current.append(character) }
            } else if character == "\\" {
                isEscaped = true
            } else if character.isWhitespace {
                if !current.isEmpty { paths.append(current) }
                current = ""
            } else {
                current.append(character)
            }
        }
        if !current.isEmpty { paths.append(current) }
        return paths
    }
}
