import Dispatch
package import Linux
package import Model

/// Runs a program on hostile input: without privileges, with limits, and with no more of the file system than it needs.
///
/// Landlock confines files and a list of system calls everything else. Where the kernel has no Landlock, bubblewrap's
/// namespaces take its place. Where neither works nothing is run.
package struct Sandbox: Hashable, Sendable {
    package enum Layer: Hashable, Sendable {
        /// With its version.
        case landlock(Int)
        /// With bubblewrap's path.
        case bubblewrap(String)
    }

    package let layer: Layer

    package init(layer: Layer) { self.layer = layer }

    /// The best layer of this machine. Throws `.kernelUnsupported`.
    package static func find() async throws(Failure) -> Sandbox {
        let version = SandboxRules.version
        if version > 0 { return Sandbox(layer: .landlock(version)) }
        if let path = HostFile.program("bwrap") {
            let sandbox = Sandbox(layer: .bubblewrap(path))
            if await sandbox.works() { return sandbox }
        }
        throw Failure(
            .kernelUnsupported,
            "the compiler cannot be confined: the kernel has no Landlock, and bubblewrap is missing or not permitted",
            hint: "Boot a kernel with CONFIG_SECURITY_LANDLOCK=y and landlock in lsm=, or: apt-get install bubblewrap")
    }

    /// What is run, and what it may touch.
    package struct Job: Sendable {
        package var program: String
        /// Without the program's name.
        package var arguments: [String]
        /// Its current folder, and the only one that it may write to.
        package var folder: String
        /// Files and folders beside the system's libraries.
        package var readable: [String]
        package var executable: [String]
        package var limits: SandboxChild.Limits
        package var environment: [String]
        package var user: UInt32?

        package init(
            program: String, arguments: [String], folder: String, readable: [String] = [], executable: [String] = [],
            limits: SandboxChild.Limits, environment: [String] = [], user: UInt32? = nil
        ) {
            self.program = program
            self.arguments = arguments
            self.folder = folder
            self.readable = readable
            self.executable = executable
            self.limits = limits
            self.environment = environment
            self.user = user
        }
    }

    /// Throws what kept it from starting; how it ended is in the outcome. A cancelled task kills it.
    package func run(_ job: Job) async throws(Failure) -> SandboxChild.Outcome {
        let stop: SandboxStop
        do throws(SystemError) { stop = try SandboxStop() } catch { throw error.asFailure(.internal) }
        let result: Result<SandboxChild.Outcome, SystemError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A thread of its own for as long as the child lives: the child is killed when that thread ends.
                Self.queue.async {
                    continuation.resume(returning: Result { () throws(SystemError) in try start(job, stop) })
                }
            }
        } onCancel: {
            stop.stop()
        }
        do throws(SystemError) { return try result.get() } catch {
            throw error.asFailure(
                .kernelUnsupported, hint: "Nothing is compiled without its sandbox: mend what is named.")
        }
    }

    private static let queue = DispatchQueue(label: "sandbox", attributes: .concurrent)

    private func start(_ job: Job, _ stop: SandboxStop) throws(SystemError) -> SandboxChild.Outcome {
        var child = SandboxChild(
            program: job.program, arguments: [job.program] + job.arguments,
            environment: Self.environment(of: job), folder: job.folder, limits: job.limits, user: job.user)
        switch layer {
        case .landlock: return try child.run(rules: Self.rules(for: job), stop: stop)
        case .bubblewrap(let path):
            child.program = path
            child.arguments = [path] + Self.bubblewrapArguments(for: job)
            // It has to make namespaces and processes; it installs the filter for what it runs.
            child.isFiltered = false
            return try child.run(rules: nil, passing: SharedDescriptor(try SandboxChild.filterFile()), stop: stop)
        }
    }

    private static func environment(of job: Job) -> [String] {
        ["LC_ALL=C", "PATH=/usr/bin:/bin", "HOME=\(job.folder)", "TMPDIR=\(job.folder)"] + job.environment
    }

    /// Where the loader and the libraries of a dynamically linked program are.
    private static let loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"]
    private static let libraries = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"]

    private static func rules(for job: Job) -> [SandboxRules.Rule] {
        var rules = [SandboxRules.Rule(job.folder, .write), .init("/dev/null", .device)]
        rules += libraries.map { .init($0, .read) }
        rules += job.readable.map { .init($0, .read) }
        rules += (loaders + [job.program] + job.executable).map { .init($0, .execute) }
        return rules
    }

    static func bubblewrapArguments(for job: Job) -> [String] {
        var arguments = ["--unshare-all", "--die-with-parent", "--new-session", "--seccomp", "3", "--dev", "/dev"]
        for path in libraries + job.readable + [job.program] + job.executable {
            // A link such as /lib → usr/lib is followed by the mount.
            arguments += ["--ro-bind-try", path, path]
        }
        return arguments + ["--bind", job.folder, job.folder, "--chdir", job.folder, "--", job.program] + job.arguments
    }

    /// Whether this machine lets it run anything at all.
    func works() async -> Bool {
        let limits = SandboxChild.Limits(
            memory: 1 << 30, file: 1 << 20, cpuSeconds: 2, milliseconds: 5000, output: 4096)
        let job = Job(program: "/usr/bin/true", arguments: [], folder: "/tmp", limits: limits)
        return (try? await run(job))?.end == .exited(0)
    }
}
