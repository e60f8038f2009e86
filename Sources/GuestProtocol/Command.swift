/// A command to run: words, not shell text.
package struct CommandRequest: Hashable, Sendable {
    /// The program and its arguments; the program is looked for in the `PATH` of ``environment``.
    package var arguments: [String]
    /// `NAME=VALUE` each; the whole environment, nothing is inherited.
    package var environment: [String]
    /// An absolute path.
    package var folder: String
    /// Milliseconds until the command's whole process group is killed; 0 for never.
    package var timeout: UInt32
    /// How many bytes each of standard output and standard error may carry; what follows is read and thrown away, and
    /// the result says so. 0 for no limit.
    package var outputLimit: UInt64
    /// A terminal for the command instead of three pipes; its output is then all on standard output.
    package var terminal: TerminalSize?

    package init(
        arguments: [String], environment: [String] = [], folder: String = "/", timeout: UInt32 = 0,
        outputLimit: UInt64 = 0, terminal: TerminalSize? = nil
    ) {
        self.arguments = arguments
        self.environment = environment
        self.folder = folder
        self.timeout = timeout
        self.outputLimit = outputLimit
        self.terminal = terminal
    }

    func write(to writer: inout ByteWriter) {
        writer.strings(arguments)
        writer.strings(environment)
        writer.string(folder)
        writer.integer(timeout)
        writer.integer(outputLimit)
        writer.integer(UInt8(terminal == nil ? 0 : 1))
        terminal?.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(ProtocolError) {
        arguments = try reader.strings()
        guard !arguments.isEmpty else { throw ProtocolError(.malformed, "a command has no program") }
        environment = try reader.strings()
        folder = try reader.string()
        timeout = try reader.integer()
        outputLimit = try reader.integer()
        terminal = try reader.flag() ? try TerminalSize(from: &reader) : nil
        // A NUL would cut the word short on its way to execve(2).
        guard (arguments + environment + [folder]).allSatisfy({ !$0.utf8.contains(0) }) else {
            throw ProtocolError(.malformed, "a word of the command holds a zero byte")
        }
    }
}

/// A terminal's size in characters.
package struct TerminalSize: Hashable, Sendable {
    package var rows: UInt16
    package var columns: UInt16

    package init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }

    func write(to writer: inout ByteWriter) {
        writer.integer(rows)
        writer.integer(columns)
    }

    init(from reader: inout ByteReader) throws(ProtocolError) {
        rows = try reader.integer()
        columns = try reader.integer()
    }
}

/// How a command ended. All its output was sent before.
package struct CommandExit: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// exit(2)'s status, 0 to 255.
        case status(UInt8)
        /// The signal that ended it.
        case signal(UInt8)
    }

    package var reason: Reason
    /// Killed because its time was over.
    package var timedOut: Bool
    /// Output beyond the limit was thrown away.
    package var outputTruncated: Bool
    package var errorTruncated: Bool

    package init(
        _ reason: Reason, timedOut: Bool = false, outputTruncated: Bool = false, errorTruncated: Bool = false
    ) {
        self.reason = reason
        self.timedOut = timedOut
        self.outputTruncated = outputTruncated
        self.errorTruncated = errorTruncated
    }

    /// As a shell counts it: the status, or 128 plus the signal.
    package var shellStatus: Int32 {
        switch reason {
        case .status(let status): Int32(status)
        case .signal(let signal): 128 + Int32(signal)
        }
    }

    func write(to writer: inout ByteWriter) {
        switch reason {
        case .status(let status):
            writer.integer(UInt8(0))
            writer.integer(status)
        case .signal(let signal):
            writer.integer(UInt8(1))
            writer.integer(signal)
        }
        for flag in [timedOut, outputTruncated, errorTruncated] { writer.integer(UInt8(flag ? 1 : 0)) }
    }

    init(from reader: inout ByteReader) throws(ProtocolError) {
        let bySignal = try reader.flag()
        let number: UInt8 = try reader.integer()
        reason = bySignal ? .signal(number) : .status(number)
        timedOut = try reader.flag()
        outputTruncated = try reader.flag()
        errorTruncated = try reader.flag()
    }
}
