import GuestProtocol
import MicroVM
import Testing

extension EndToEnd {
    /// `schedctl top` with the real daemon, on a real pseudo-terminal.
    @Suite(.serialized) struct Watching {
        /// On a terminal of 24 by 80, between two looks at its settings.
        private func top(_ guest: Guest) async throws -> GuestProcess {
            try await guest.vm.start(
                """
                export TERM=xterm; cd /run
                stty -g >top.before
                (echo $BASHPID >top.pid; exec schedctl top --interval 200ms)
                echo "ended with $?"
                stty -g >top.after
                """.asBash, terminal: TerminalSize(rows: 24, columns: 80))
        }

        /// The terminal is as before, and the screen has been given back.
        private func check(_ guest: Guest, _ process: GuestProcess, status: Int) async throws {
            let end = try await process.waitFor("ended with \(status)\r\n")
            #expect(end.contains("\u{1B}[?1049l"))
            #expect(end.contains("\u{1B}[?25h"))
            #expect(try await process.finish().status == 0)
            let before = try await guest.read("/run/top.before")
            #expect(!before.isEmpty)
            #expect(try await guest.read("/run/top.after") == before)
        }

        @Test func qGivesTheTerminalBack() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime")
            let process = try await top(guest)
            let first = try await process.waitFor("q quit")
            #expect(first.contains("\u{1B}[?1049h"))
            for word in ["vtime", "active", "enabled", "CPUS", "every 200ms"] {
                #expect(first.contains(word), "\(word)")
            }
            // It goes on by itself: the clock of the first line, and the loads.
            _ = try await process.waitFor("\u{1B}[1;1H")
            try await process.write("4")
            _ = try await process.waitFor("[counters]")
            try await process.write("q")
            try await check(guest, process, status: 0)
        }

        @Test(arguments: [("TERM", 143), ("HUP", 129), ("SEGV", 139)])
        func aSignalGivesTheTerminalBack(_ name: String, _ status: Int) async throws {
            let guest = try await Guest.clean()
            let process = try await top(guest)
            _ = try await process.waitFor("q quit")
            try await guest.vm.succeed("kill -\(name) $(cat /run/top.pid)")
            try await check(guest, process, status: status)
        }

        @Test func aDaemonThatStopsIsWaitedFor() async throws {
            let guest = try await Guest.clean()
            let process = try await top(guest)
            _ = try await process.waitFor("q quit")
            try await guest.vm.succeed("systemctl stop schedcpd.socket schedcpd.service")
            _ = try await process.waitFor("trying again")
            try await guest.vm.succeed("systemctl start schedcpd.socket schedcpd.service")
            // The line that said so is gone, and with it all others move.
            _ = try await process.waitFor("\u{1B}[2;1H")
            _ = try await process.waitFor("[all] every 200ms")
            try await process.write("q")
            try await check(guest, process, status: 0)
        }

        @Test func oneViewAsJSONKnowsTheKernelsScheduler() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime")
            let text = try await guest.vm.succeed("schedctl top --once --json")
            #expect(text.contains("\"state\":\"enabled\""), "\(text.prefix(2000))")
            #expect(text.contains("\"scheduler\":\"vtime\""))
            let plain = try await guest.schedctl("top --once")
            #expect(plain.status == 0, "\(plain.summary)")
            #expect(plain.stdout.contains("vtime"))
            #expect(plain.stdout.contains("COUNTERS"))
            #expect(!plain.stdout.contains("\u{1B}"))
        }
    }
}

extension String {
    /// For /bin/sh: this text, run by bash.
    fileprivate var asBash: String { "exec bash -c '" + replacing("'", with: "'\\''") + "'" }
}
