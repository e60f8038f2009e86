import Linux
import Subprocess

/// The verifier of a lab machine: `schedcp-verify serve` on this computer, at the other end of a virtio port.
package struct LabVerifier: Hashable, Sendable {
    /// The port's name, which scripts/lab/payload knows as well.
    package static let port = "org.schedcp.verify"
    private static let name = "schedcp-verify"

    package var program: String
    /// Where its output goes; nil for nowhere.
    package var logFile: String?

    package init(program: String, logFile: String? = nil) {
        self.program = program
        self.logFile = logFile
    }

    /// The one beside this program or in a source tree around it, else the installed one.
    package static func locate() -> LabVerifier? {
        var folder = HostFile.target(ofLink: "/proc/self/exe") ?? ""
        var found: [String] = []
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            // What was built for release is what a lab machine gets as well.
            found += ["\(folder)/.build-release/release/\(name)", "\(folder)/\(name)"]
        }
        found.append("/usr/lib/schedcp/\(name)")
        let tree = found.filter { $0.contains("/.build-release/") }
        return (tree + found).first { HostFile.isReadable($0) }.map { LabVerifier(program: $0) }
    }

    private func state(_ cache: CacheFolder) -> String { "\(cache.path)/verify" }

    /// As the rules of the machine take it.
    func key(cache: CacheFolder) async throws -> String {
        let result = try await Subprocess.run(
            .name("sh"), arguments: ["-c", "exec \"$@\"", "sh", program, "key", "--state", state(cache)],
            environment: .inherit.updating(["SCHEDCP_CACHE": cache.path]), output: .string(limit: 4096),
            error: .string(limit: 4096))
        let line = result.standardOutput.prefix { $0 != "\n" }
        guard case .exited(0) = result.terminationStatus, line.hasPrefix("ed25519 ") else {
            throw MachineError(.system, "\(program) gives no key:\n\(result.standardError)")
        }
        return String(line)
    }

    /// Serves until the task is cancelled or this process ends, however it does: the verifier looks at a pipe from us.
    func serve(folder: String, image: LabImage, cache: CacheFolder) -> Task<Void, any Error> {
        let arguments = [
            "serve", "--stream", "\(folder)/\(Self.port).sock", "--kernel", image.kernel, "--state", state(cache),
            "--log-level", "info", "--until-input-ends",
        ]
        let environment = Environment.inherit.updating(["SCHEDCP_CACHE": cache.path])
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(2))]
        let platform = options
        let command =
            ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", logFile ?? "/dev/null", program] + arguments
        return Task {
            _ = try await Subprocess.run(
                .name("sh"), arguments: Arguments(command), environment: environment, platformOptions: platform,
                input: .inputWriter, output: .discarded, error: .discarded
            ) { _ in try await Task.sleep(for: .seconds(1 << 30)) }
        }
    }
}
