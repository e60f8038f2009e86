import Linux
import Subprocess

/// The lab: Debian with systemd and a kernel with sched_ext, with SchedCP in it, in a virtual machine. The recipe is a
/// folder of scripts (scripts/lab, or where an installed SchedCP keeps them); this type runs them.
package struct Lab: Hashable, Sendable {
    /// Where an installed SchedCP has the recipe.
    package static let installed = "/usr/share/schedcp/lab"

    /// The folder with `build` and `payload`.
    package let scripts: String
    package let cache: CacheFolder

    package init(scripts: String, cache: CacheFolder = .standard) {
        self.scripts = scripts
        self.cache = cache
    }

    /// The recipe of the source tree that this program was built in, else the installed one.
    /// Throws ``MachineError/Code/missing``.
    package static func locate() throws(MachineError) -> Lab {
        var folder = HostFile.target(ofLink: "/proc/self/exe") ?? ""
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            if HostFile.exists("\(folder)/scripts/lab/build") { return Lab(scripts: "\(folder)/scripts/lab") }
        }
        if HostFile.exists("\(installed)/build") { return Lab(scripts: installed) }
        throw MachineError(
            .missing, "the lab's recipe is neither in a source tree around this program nor in \(installed)",
            hint: "Run schedctl from a source tree, or install SchedCP with scripts/install.")
    }

    /// What is in the cache.
    package enum State: Hashable, Sendable {
        case ready(LabImage)
        /// Only images of an older recipe.
        case stale
        case absent
    }

    package func state() async throws -> State {
        let result = try await Subprocess.run(
            .name("bash"), arguments: ["\(scripts)/build", "--find"], environment: environment,
            output: .string(limit: 4096), error: .string(limit: 4096))
        switch result.terminationStatus {
        case .exited(0): return .ready(try LabImage(folder: Self.firstLine(result.standardOutput)))
        case .exited(3): return .absent
        case .exited(4): return .stale
        default: throw MachineError(.system, "the lab's recipe does not run: \(result.standardError)")
        }
    }

    /// Makes the image, or finds that there is one for this recipe and the newest kernel. Progress is on standard error.
    package func build() async throws -> LabImage {
        let result = try await Subprocess.run(
            .name("bash"), arguments: ["\(scripts)/build"], environment: environment,
            output: .string(limit: 4096), error: .currentStandardError)
        guard case .exited(0) = result.terminationStatus else {
            throw MachineError(.system, "the lab's image was not built", hint: "The lines above say why.")
        }
        return try LabImage(folder: Self.firstLine(result.standardOutput))
    }

    /// The image of this recipe; builds it when there is none and this user can. An older kernel than the newest is
    /// good enough here; ``build()`` looks for a newer one.
    package func image() async throws -> LabImage {
        let reason: String
        switch try await state() {
        case .ready(let image): return image
        case .stale: reason = "the lab's image was made by an older recipe"
        case .absent: reason = "there is no image of the lab in \(cache.path)/lab"
        }
        guard HostFile.isRoot else {
            throw MachineError(
                .missing, reason, hint: "Make one: schedctl lab build (it asks for root where it must).")
        }
        return try await build()
    }

    /// Writes the tar file that a machine lays over the image when it boots: SchedCP, and `roots` over it.
    /// With the key of a verifier on this computer, SchedCP in the machine asks that one.
    package func writePayload(to file: String, roots: [String] = [], verifierKey: String? = nil) async throws {
        var environment = environment
        if let verifierKey { environment = environment.updating(["SCHEDCP_LAB_VERIFIER": verifierKey]) }
        let result = try await Subprocess.run(
            .name("bash"), arguments: Arguments(["\(scripts)/payload", file] + roots),
            environment: environment, output: .discarded, error: .string(limit: 64 * 1024))
        guard case .exited(0) = result.terminationStatus else {
            throw MachineError(.missing, "SchedCP could not be packed for the lab:\n\(result.standardError)")
        }
    }

    private var environment: Environment { .inherit.updating(["SCHEDCP_CACHE": cache.path]) }

    private static func firstLine(_ text: String) -> String { String(text.prefix { $0 != "\n" }) }
}

/// A finished image in the cache.
package struct LabImage: Hashable, Sendable {
    package let folder: String
    /// The kernel's `uname -r`.
    package let release: String
    /// Seconds that its build took.
    package let buildSeconds: Int

    /// Reads the image's manifest. Throws ``MachineError/Code/missing`` where it is incomplete.
    init(folder: String) throws(MachineError) {
        let text = (try? TextFile.read("\(folder)/manifest")) ?? ""
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[line[..<equals]] = line[line.index(after: equals)...]
        }
        guard let release = values["release"], let seconds = values["seconds"].flatMap({ Int($0) }) else {
            throw MachineError(
                .missing, "\(folder) is no complete image of the lab",
                hint: "Remove it, then: schedctl lab build")
        }
        self.folder = folder
        self.release = String(release)
        buildSeconds = seconds
    }

    package var kernel: String { "\(folder)/vmlinuz" }
    package var initrd: String { "\(folder)/initrd.img" }
    package var system: String { "\(folder)/system.ext4" }

    /// A machine of this image with this payload.
    package func spec(payload: String) -> MachineSpec {
        MachineSpec(
            kernel: kernel, initrd: initrd,
            kernelArguments: [
                "schedcp.payload", "loglevel=4", "psi=1", "audit=0", "mitigations=off",
                "systemd.show_status=no",
                // The host's clock drives the guest's counter; comparing it with others costs time and finds nothing.
                "tsc=reliable",
            ],
            disks: [
                .init(file: system, serial: "system", access: .snapshot),
                .init(file: payload, serial: "payload", access: .readOnly),
            ])
    }
}
