// MicroVM: virtual machines as values and scopes. Runs as whoever calls it, needs no privilege, writes only to a private
// temporary folder per machine and to a cache folder that the caller names. A machine lives exactly as long as the
// scope that began it: when the scope ends, when the caller is cancelled, and when the caller is killed, the machine is
// gone and its folder with it. Every wait has a deadline. State shared between tasks is behind a Mutex, never held
// across an await.

/// How much of what: the defaults that are used where a caller says nothing.
package enum MicroVMDefaults {
    /// Until the agent in the machine says hello. An emulated processor on a busy computer takes long.
    package static let bootLimit: Duration = .seconds(180)
    /// For one command of ``VirtualMachine/run(_:user:timeout:input:)``.
    package static let commandLimit: Duration = .seconds(60)
    /// What ``VirtualMachine/run(_:user:timeout:input:)`` keeps of each of standard output and standard error, bytes.
    package static let outputLimit = 16 * 1024 * 1024
    /// The end of the console that is kept in memory, bytes.
    package static let consoleTail = 256 * 1024
    /// The most that is written to a console log file, bytes.
    package static let consoleFile = 16 * 1024 * 1024
}
