// schedcp-guest: the program in a virtual machine that acts for the host. Runs as root in the guest, as a service of the
// lab and later as the first process of the verifier's micro-VM. It trusts the host with the guest and nothing else:
// all it holds for the host is bounded, and what the host begins ends when the host goes. One thread, one poll(2).

import GuestProtocol
import Linux

@main
enum Guest {
    static let usage = """
        Usage: schedcp-guest agent [--port NAME|PATH]

        Serves a host over a virtio-serial port: runs commands, moves files.
          --port   the port's name, or the path of its device (default: \(GuestProtocol.portName))
        """

    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        var port = GuestProtocol.portName
        if arguments.count == 3, arguments[1] == "--port" {
            port = arguments[2]
            arguments.removeLast(2)
        }
        guard arguments == ["agent"] else {
            let asked = arguments == ["--help"] || arguments == ["-h"]
            Console.write(usage + "\n", toErrors: !asked)
            GuestSystem.leave(asked ? 0 : 64)
        }
        do throws(SystemError) {
            GuestSystem.ignoreBrokenPipes()
            try GuestSystem.claimStandardStreams()
            try Agent(portName: port).run()
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
