import CLinux
import Glibc

/// A program that runs without privileges, with limits, in a session of its own.
package struct SandboxChild: Sendable {
    package var program: String
    /// With the program's name as its first.
    package var arguments: [String]
    package var environment: [String]
    package var folder: String
    package var limits: Limits
    /// Whether only a compiler's system calls are allowed: no processes, no sockets.
    package var isFiltered = true
    /// The user and group that it continues as; nil keeps this process's.
    package var user: UInt32?

    package init(
        program: String, arguments: [String], environment: [String], folder: String, limits: Limits,
        user: UInt32? = nil
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.folder = folder
        self.limits = limits
        self.user = user
    }

    package struct Limits: Hashable, Sendable {
        /// Bytes of address space.
        package var memory: UInt64
        /// Bytes of the longest file that it may write.
        package var file: UInt64
        package var cpuSeconds: UInt64
        package var descriptors: UInt64
        /// From its start to its end.
        package var milliseconds: Int64
        /// Bytes kept of each of its two outputs; the rest is read and thrown away.
        package var output: Int

        package init(
            memory: UInt64, file: UInt64, cpuSeconds: UInt64, descriptors: UInt64 = 64, milliseconds: Int64,
            output: Int
        ) {
            self.memory = memory
            self.file = file
            self.cpuSeconds = cpuSeconds
            self.descriptors = descriptors
            self.milliseconds = milliseconds
            self.output = output
        }
    }

    /// How it ended.
    package struct Outcome: Sendable {
        package enum End: Hashable, Sendable {
            case exited(Int32)
            case signal(Int32)
            /// Killed because its time was over, or because the caller wanted it.
            case timedOut
            case cancelled
        }

        package var end: End
        package var output: [UInt8]
        package var errors: [UInt8]
        package var isOutputCut: Bool
        package var cpuNanoseconds: UInt64
        package var peakBytes: UInt64
    }

    /// Starts it and waits for its end on the calling thread, which may be any but must stay until then.
    ///
    /// `rules` of nil leaves files to the program itself (bubblewrap); `passing` becomes its descriptor 3. Throws what
    /// kept it from starting. When it ends, nothing of its session is left.
    package func run(
        rules: [SandboxRules.Rule]?, passing: SharedDescriptor? = nil, stop: SandboxStop
    ) throws(SystemError) -> Outcome {
        let (output, errors) = (try SandboxPipe(), try SandboxPipe())
        let input = SharedDescriptor(try .open("/dev/null"))
        var ruleset: SharedDescriptor?
        if let rules { ruleset = SharedDescriptor(try SandboxRules.ruleset(rules)) }
        var how = clinux_confinement()
        how.memory = limits.memory
        how.file = limits.file
        how.cpu_seconds = limits.cpuSeconds
        how.descriptors = limits.descriptors
        how.landlock = ruleset?.raw ?? -1
        how.filter = isFiltered ? 1 : 0
        how.keep = passing?.raw ?? -1
        how.become = user == nil ? 0 : 1
        how.uid = user ?? 0
        how.gid = user ?? 0
        var handle: CInt = -1
        var step: CInt = 0
        let fds = [input.raw, output.writing, errors.writing]
        let process = withCStrings(arguments) { argv in
            withCStrings(environment) { envp in
                // SAFETY: both arrays end with NULL and live until the call returns; `fds` has three elements.
                clinux_spawn_confined(program, argv, envp, folder, fds, &how, &handle, &step)
            }
        }
        let code = errno
        withExtendedLifetime((input, ruleset, passing)) {}
        guard process > 0 else { throw SystemError(Self.name(ofStep: step, program), code: code) }
        output.closeWritingEnd()
        errors.closeWritingEnd()
        let wait = SandboxWait(process: process, handle: SharedDescriptor(Descriptor(owning: handle)), limits: limits)
        return try wait.attend(output: output, errors: errors, stop: stop)
    }

    private static func name(ofStep step: CInt, _ program: String) -> String {
        switch clinux_step(UInt32(bitPattern: step)) {
        case CLINUX_STEP_FORK: "start a process for \(program)"
        case CLINUX_STEP_STREAMS: "set the descriptors of \(program)"
        case CLINUX_STEP_LIMITS: "limit \(program)"
        case CLINUX_STEP_USER: "take the privileges of \(program) away"
        case CLINUX_STEP_FOLDER: "enter the folder of \(program)"
        case CLINUX_STEP_LANDLOCK: "confine \(program) by Landlock"
        case CLINUX_STEP_SECCOMP: "filter the system calls of \(program)"
        default: "run \(program)"
        }
    }
}

extension SandboxChild {
    /// The filter of system calls in a file, for a program that installs it itself.
    package static func filterFile() throws(SystemError) -> Descriptor {
        Descriptor(owning: try retryingInterrupts("make the filter of system calls") { clinux_filter_file() })
    }
}
