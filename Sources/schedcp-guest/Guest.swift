// schedcp-guest: the program in a virtual machine that acts for the host. Runs as root in the guest, as a service of the
// lab and as the first process of the verifier's micro-VM. It trusts the host with the guest and nothing else: all it
// holds for the host is bounded, and what the host begins ends when the host goes. One thread, one poll(2). As a command
// of that agent it also tries a candidate: `trial load` and `trial dynamic`.

import GuestProtocol
import Linux

@main
enum Guest {
    static let usage = """
        Usage: schedcp-guest agent [--port NAME|PATH | --listen PATH]

        Serves a host: runs commands, moves files.
          --port     the virtio-serial port's name, or the path of its device (default: \(GuestProtocol.portName))
          --listen   serve one connection to a new Unix socket instead, then end; for tests, on any computer

        \(TrialCommand.usage)
        """

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if FirstProcess.isThis { FirstProcess.run() }
        if arguments.first == "trial" { GuestSystem.leave(TrialCommand.run(Array(arguments.dropFirst()))) }
        do throws(SystemError) {
            GuestSystem.ignoreBrokenPipes()
            try GuestSystem.claimStandardStreams()
            switch (arguments.first, arguments.count, arguments.dropFirst().first) {
            case ("agent", 1, _): try Agent(portName: GuestProtocol.portName).run()
            case ("agent", 3, "--port"): try Agent(portName: arguments[2]).run()
            case ("agent", 3, "--listen"): try Agent(connection: GuestSystem.acceptOne(arguments[2])).run()
            default:
                let asked = ["--help", "-h"].contains(arguments.first)
                Console.write(usage, toErrors: !asked)
                GuestSystem.leave(asked ? 0 : 64)
            }
        } catch {
            Console.write("schedcp-guest: \(error)\n", toErrors: true)
            GuestSystem.leave(1)
        }
    }
}

/// Text for a person or the journal; what cannot be written is lost.
enum Console {
    static func write(_ text: String, toErrors: Bool) {
        _ = try? GuestStream.write(toErrors ? 2 : 1, Array(text.utf8)[...])
    }
}
