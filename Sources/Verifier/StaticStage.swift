import BPFObject
import Linux
import Liveness
import Model

/// The object, judged without a kernel: read, settled against the target kernel's types, and analysed. In this process,
/// with bounded time and memory whatever the bytes are.
struct StaticStage: Sendable {
    let limits: VerificationLimits
    let kernels: KernelTypes

    func run(_ bytes: [UInt8], _ request: VerificationRequest, _ kernel: TargetKernel) async -> StageReport {
        let start = Clock.monotonic()
        var report = await judge(bytes, request, kernel)
        report.nanoseconds = Clock.monotonic() - start
        return report
    }

    private func judge(_ bytes: [UInt8], _ request: VerificationRequest, _ kernel: TargetKernel) async -> StageReport {
        guard bytes.count <= limits.maxObjectBytes else {
            return Self.refused(
                "the object has \(bytes.count) bytes, more than the \(limits.maxObjectBytes) that are looked at",
                remedy: "a scheduler is far smaller; strip tables of constants and debug sections (llvm-strip -g)")
        }
        let types: BTF
        do { types = try await kernels.types(of: kernel) } catch {
            return StageReport(.static, .unable, log: "the kernel's BTF cannot be read: \(error)\n")
        }
        do throws(ObjectError) {
            let object = try BPFObject.parse(bytes)
            var settings = LoadSettings()
            for setting in request.parameters {
                switch Self.bytes(of: setting, in: object) {
                case .success(let bytes): settings.parameters[setting.name] = bytes
                case .failure(let failure):
                    return Self.refused(failure.message, check: "parameter", remedy: failure.hint)
                }
            }
            let resolved = try object.resolve(kernel: types, settings: settings)
            var options = AnalysisOptions(request.rules)
            if case .source(let name, let bytes) = request.candidate {
                options.place = { SourceDeclarations(file: name, text: bytes).place(of: $0) }
            }
            let result = Liveness.analyse(resolved, options: options)
            return StageReport(
                .static, result.findings.contains { $0.severity == .error } ? .failed : .passed,
                findings: result.findings, checks: result.outcomes, measurements: result.measurements)
        } catch {
            return Self.refused(error.failure.message, remedy: error.failure.hint)
        }
    }

    private static func refused(_ message: String, check: String = "object", remedy: String) -> StageReport {
        StageReport(
            .static, .failed, findings: [Finding(stage: .static, check: check, message: message, remedy: remedy)],
            checks: [CheckOutcome(check: check, verdict: .refuted, reason: message)])
    }

    /// A parameter's value as its variable in `.rodata` wants it.
    private static func bytes(of setting: Setting, in object: CompiledObject) -> Result<[UInt8], Failure> {
        let known = parameters(of: object)
        guard let type = known[setting.name] else {
            return .failure(
                Failure(
                    .invalidArgument, "the scheduler has no parameter \(setting.name.quotedForDisplay())",
                    hint: known.isEmpty ? "it has none" : "it has: \(known.keys.sorted().joined(separator: ", "))"))
        }
        do throws(Failure) {
            let spec = try ParameterSpec(
                name: setting.name, type: type, defaultValue: 0, range: type.representable)
            return .success(try spec.parse(setting.value).bytes)
        } catch { return .failure(error) }
    }

    /// The integers among constants and tunables by name, without those that the loader fills itself.
    static func parameters(of object: CompiledObject) -> [String: ParameterType] {
        var result: [String: ParameterType] = [:]
        for map in object.maps where map.role == .readOnlyData || map.section == ".data.tunables" {
            for variable in map.variables where !isLoaders(variable.name) {
                result[variable.name] = type(of: variable, in: object.btf)
            }
        }
        return result
    }

    private static func isLoaders(_ name: String) -> Bool {
        name.hasPrefix("__") || name.hasPrefix("schedcp_") || name.hasSuffix("_dump_len") || name.hasPrefix(".")
    }

    private static func type(of variable: MapDefinition.Variable, in types: BTF) -> ParameterType? {
        guard let integer = types.integer(types.resolve(variable.type)) else { return nil }
        if integer.isBool { return .bool }
        return ParameterType.allCases.first {
            $0 != .bool && $0.size == variable.size && $0.isSigned == integer.isSigned
        }
    }
}

/// The types of kernels, read once for each.
actor KernelTypes {
    private var known: (digest: String, types: BTF)?

    func types(of kernel: TargetKernel) throws(ObjectError) -> BTF {
        if let known, known.digest == kernel.btfDigest { return known.types }
        let types = try BTF(parsing: kernel.btf)
        known = (kernel.btfDigest, types)
        return types
    }
}

extension AnalysisOptions {
    init(_ rules: VerificationRules) {
        self.init(disabled: rules.checksOff, programCapabilities: ProgramCapabilities(rules.capabilities))
    }
}

extension ProgramCapabilities {
    init(_ rules: CapabilityRules) {
        func patterns(_ lists: CapabilityRules.Lists) -> Patterns {
            Patterns(permitted: lists.permitted, denied: lists.denied)
        }
        self.init(
            kernelFunctions: patterns(rules.kernelFunctions), helpers: patterns(rules.helpers),
            mapTypes: patterns(rules.mapTypes), mayReadUserMemory: rules.mayReadUserMemory)
    }
}
