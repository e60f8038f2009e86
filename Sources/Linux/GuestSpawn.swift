import CLinux
import Glibc

/// A process that was started with ``SpawnedProcess/start(arguments:environment:path:folder:streams:)``: the leader of
/// a session and process group of its own. Not reaped until ``collect()`` says so, so its number stays its own.
package struct SpawnedProcess: ~Copyable {
    package let process: Int32
    /// Readable once the process has ended.
    package let handle: Descriptor

    /// What becomes descriptors 0, 1 and 2.
    package enum Streams {
        case descriptors(input: CInt, output: CInt, errors: CInt)
        /// One terminal for all three, also as the controlling terminal.
        case terminal(CInt)
    }

    /// Starts a program. The calling program must have a single thread. Throws what exec or an earlier step said.
    package static func start(
        arguments: [String], environment: [String], path: String, folder: String, streams: Streams
    ) throws(SystemError) -> SpawnedProcess {
        let fds: [CInt]
        let terminal: CInt
        switch streams {
        case .descriptors(let input, let output, let errors):
            fds = [input, output, errors]
            terminal = 0
        case .terminal(let slave):
            fds = [slave, slave, slave]
            terminal = 1
        }
        var handle: CInt = -1
        let process = withCStrings(arguments) { argv in
            withCStrings(environment) { envp in
                // SAFETY: both arrays end with NULL and live until the call returns; `fds` has three elements.
                clinux_spawn(argv, envp, path, folder, fds, terminal, &handle)
            }
        }
        guard process > 0 else { throw SystemError(arguments.first ?? "no program") }
        return SpawnedProcess(process: process, handle: Descriptor(owning: handle))
    }

    /// A signal for the whole process group; nothing happens when it is gone.
    package borrowing func signal(_ number: CInt) { kill(-process, number) }

    /// waitpid(2)'s status once the process has ended, else nil.
    package borrowing func collect() -> CInt? {
        var status: CInt = 0
        return waitpid(process, &status, WNOHANG) == process ? status : nil
    }
}

/// Runs `body` with copies of the strings as a NULL-terminated array of C strings.
func withCStrings<R>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
) -> R {
    // SAFETY: strdup's copies are freed once, after the body, which must not keep them.
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}
