import Crypto
import FoundationEssentials
import Linux
package import Model

/// The first stage: C source to an object, by clang in a sandbox.
///
/// The same source and name give the same object on every machine that has this compiler, these headers and the same
/// kernel's types: the compiler works in a folder of its own, by relative paths, with nothing of the environment.
package struct CompileStage: Sendable {
    package let toolchain: CompileToolchain
    package let headers: CompileHeaders
    package let sandbox: Sandbox
    package let limits: VerificationLimits

    package init(
        toolchain: CompileToolchain, headers: CompileHeaders, sandbox: Sandbox,
        limits: VerificationLimits = VerificationLimits()
    ) {
        self.toolchain = toolchain
        self.headers = headers
        self.sandbox = sandbox
        self.limits = limits
    }

    /// With what this machine has. Throws `.notFound` for what is missing, `.kernelUnsupported` where nothing can
    /// confine the compiler; both say what to install.
    package static func locate(limits: VerificationLimits = VerificationLimits()) async throws(Failure) -> CompileStage
    {
        CompileStage(
            toolchain: try await .locate(), headers: try .locate(), sandbox: try await .find(), limits: limits)
    }

    /// SHA-256 of what decides an object beside its source, its name, the folders that the user names and the kernel's
    /// types; lower-case hex.
    package var fingerprint: String {
        let strip = toolchain.strip?.split(separator: "/").last ?? ""
        let parts = [toolchain.version, String(strip), headers.digest] + toolchain.options + Self.flags(folder: "")
        return SHA256.hash(data: Array(parts.joined(separator: "\n").utf8)).hexadecimal
    }

    /// For the evidence.
    package var versions: [String: String] { ["clang": toolchain.version, "headers": headers.digest] }

    /// - Parameters:
    ///   - name: what messages call the source.
    ///   - includeFolders: absolute paths, searched after SchedCP's own headers.
    ///   - typesHeader: `vmlinux.h`.
    package func run(
        source: [UInt8], name: String, includeFolders: [String] = [], typesHeader: [UInt8]
    ) async -> CompileResult {
        let clock = ContinuousClock()
        let start = clock.now
        var result = await compile(source, name, includeFolders, typesHeader)
        let (seconds, attoseconds) = (clock.now - start).components
        result.report.nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        return result
    }

    package func run(
        source: [UInt8], name: String, includeFolders: [String] = [], kernel: TargetKernel
    ) async -> CompileResult {
        await run(source: source, name: name, includeFolders: includeFolders, typesHeader: kernel.typesHeader)
    }

    private func compile(
        _ source: [UInt8], _ name: String, _ includeFolders: [String], _ typesHeader: [UInt8]
    ) async -> CompileResult {
        let looked = CompileSource(name: name, bytes: source).findings(limit: limits.maxSourceBytes)
        if !looked.isEmpty { return .failed(looked) }
        var folders: [String] = []
        for folder in includeFolders {
            guard let resolved = SandboxFiles.resolved(folder), SandboxFiles.isFolder(resolved) else {
                return .failed([
                    Finding(
                        stage: .compile, check: "compile-include", message: "the include folder \(folder) is not there",
                        remedy: "Name a folder that exists with -I.")
                ])
            }
            folders.append(resolved)
        }
        do throws(Failure) {
            let folder: CompileFolder
            do throws(SystemError) {
                folder = try CompileFolder(
                    source: source, name: name, headers: headers, typesHeader: typesHeader,
                    reading: folders + toolchain.folders + [toolchain.clang])
            } catch {
                throw error.asFailure(.storage, hint: "TMPDIR names another place for temporary files.")
            }
            return try await CompileRun(stage: self, folder: folder, name: name, source: source, folders: folders)
                .result()
        } catch {
            let finding = Finding(
                stage: .compile, check: "compile", message: error.message, remedy: error.hint, detail: error.detail)
            return CompileResult(report: StageReport(.compile, .unable, findings: [finding], log: error.description))
        }
    }

    /// As scripts/build-bpf has them, but that warnings are not errors: who submits a candidate decides on those.
    /// `folder` is mapped away should a path of it be written anywhere.
    static func flags(folder: String) -> [String] {
        #if arch(x86_64)
            let architecture = "x86"
        #elseif arch(arm64)
            let architecture = "arm64"
        #else
            let architecture = "unknown"
        #endif
        return [
            "-g", "-O2", "-target", "bpfel", "-mcpu=v3", "-D__TARGET_ARCH_\(architecture)", "-std=gnu17",
            // The kernel's vmlinux.h has members that are unnamed structures with a tag.
            "-fms-extensions",
            "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-microsoft-anon-tag", "-Wno-missing-declarations",
            "-Wno-compare-distinct-pointer-types", "-Wno-sign-compare",
            // The kernel's own schedulers are compiled without this check; BPF's conventions for calls make it moot.
            "-Wno-error=incompatible-function-pointer-types",
            "-ffile-prefix-map=\(folder)=.", "-fdebug-compilation-dir=.",
            // Only the include folders that follow, and the compiler's own: nothing of /usr/include.
            "-nostdlibinc", "-Iinclude",
            // One process, no files of configuration, no report of a crash.
            "--no-default-config", "-fintegrated-cc1", "-fno-crash-diagnostics",
            // Messages for a program to read.
            "-fno-color-diagnostics", "-fno-caret-diagnostics", "-fmessage-length=0", "-ferror-limit=50",
            "-fmacro-backtrace-limit=4",
        ]
    }
}

/// What came of a compilation.
package struct CompileResult: Sendable {
    package var report: StageReport
    /// Only where the report's verdict is passed.
    package var object: [UInt8]?

    package init(report: StageReport, object: [UInt8]? = nil) {
        self.report = report
        self.object = object
    }

    static let checks = ["compile", "compile-include", "compile-limits"]

    static func failed(
        _ findings: [Finding], measurements: [Measurement] = [], log: String = ""
    ) -> CompileResult {
        let refuted = Set(findings.filter { $0.severity == .error }.map(\.check))
        let outcomes = checks.map { check in
            refuted.contains(check)
                ? CheckOutcome(check: check, verdict: .refuted)
                : CheckOutcome(check: check, verdict: .unknown, reason: "the source was not compiled to its end")
        }
        return CompileResult(
            report: StageReport(
                .compile, .failed, findings: findings, checks: outcomes, measurements: measurements, log: log))
    }

    static func passed(
        _ object: [UInt8], _ findings: [Finding], _ measurements: [Measurement], log: String
    ) -> CompileResult {
        CompileResult(
            report: StageReport(
                .compile, .passed, findings: findings,
                checks: checks.map { CheckOutcome(check: $0, verdict: .proved) }, measurements: measurements, log: log),
            object: object)
    }
}
