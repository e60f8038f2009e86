import Foundation
import Linux
import Service
import TestSupport
import Testing

/// sd_notify against a real datagram socket. The environment belongs to a whole process, so each test is one.
@Suite(.timeLimit(.minutes(5))) struct SystemdTests {
    static func withManager(_ body: (DatagramSocket) throws -> Void) throws {
        let folder = try TemporaryFolder()
        let manager = try DatagramSocket(folder.path("notify"))
        setenv("NOTIFY_SOCKET", manager.path, 1)
        try body(manager)
    }

    @Test func assignmentsArriveInOneDatagram() async {
        await #expect(processExitsWith: .success) {
            try SystemdTests.withManager { manager in
                #expect(Systemd.isPresent)
                #expect(Systemd.notify(["READY=1", "STATUS=all is well"]))
                let sent = try manager.receive()
                #expect(sent == ["READY=1", "STATUS=all is well"])
            }
        }
    }

    @Test func aLineEndCannotStartAnotherAssignment() async {
        await #expect(processExitsWith: .success) {
            try SystemdTests.withManager { manager in
                for text in [
                    "\nREADY=1", "\r\nSTOPPING=1", "\u{2028}FDSTORE=1", "\u{85}X=1", "\u{B}b", "\u{C}b", "\rb",
                ] {
                    #expect(Systemd.notify(["STATUS=a" + text]))
                    let lines = try manager.receive()
                    #expect(lines.count == 1)
                    #expect(lines.first?.hasPrefix("STATUS=a ") == true)
                }
            }
        }
    }

    @Test func storedDescriptorsAreNamedAndKept() async {
        await #expect(processExitsWith: .success) {
            try SystemdTests.withManager { manager in
                let file = try Descriptor.open("/dev/null")
                let isKept = try Systemd.store([file.raw], name: "scheduler-7-link")
                #expect(isKept)
                var sent = try manager.receive()
                #expect(sent == ["FDSTORE=1", "FDNAME=scheduler-7-link", "FDPOLL=0"])
                Systemd.removeStored(name: "scheduler-7-link")
                sent = try manager.receive()
                #expect(sent == ["FDSTOREREMOVE=1", "FDNAME=scheduler-7-link"])
                #expect(throws: SystemError.self) { _ = try Systemd.store([-1], name: "x") }
            }
        }
    }

    @Test func withoutAManagerNothingHappens() async {
        await #expect(processExitsWith: .success) {
            unsetenv("NOTIFY_SOCKET")
            #expect(!Systemd.isPresent)
            #expect(!Systemd.notify(["READY=1"]))
            let file = try Descriptor.open("/dev/null")
            let isKept = try Systemd.store([file.raw], name: "x")
            #expect(!isKept)
            Systemd.removeStored(name: "x")
            #expect(!Systemd.barrier(timeout: 1000))
        }
    }

    @Test func aManagerThatIsGoneIsNotWaitedFor() async {
        await #expect(processExitsWith: .success) {
            setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1)
            #expect(!Systemd.notify(["READY=1"]))
            let file = try Descriptor.open("/dev/null")
            #expect(throws: SystemError.self) { _ = try Systemd.store([file.raw], name: "x") }
        }
    }

    @Test func aManagerThatDoesNotReadIsNotWaitedFor() async {
        await #expect(processExitsWith: .success) {
            try SystemdTests.withManager { _ in
                // More than any socket's queue holds (net.unix.max_dgram_qlen); a send that waits would never end.
                let sent = (0..<5000).prefix { _ in Systemd.notify(["WATCHDOG=1"]) }.count
                #expect(sent > 0 && sent < 5000)
            }
        }
    }

    @Test func theWatchdogsIntervalIsForThisProcess() async {
        await #expect(processExitsWith: .success) {
            unsetenv("WATCHDOG_USEC")
            #expect(Systemd.watchdogMicroseconds() == nil)
            setenv("WATCHDOG_USEC", "5000000", 1)
            #expect(Systemd.watchdogMicroseconds() == 5_000_000)
            setenv("WATCHDOG_PID", "1", 1)
            #expect(Systemd.watchdogMicroseconds() == nil)
        }
    }

    @Test func withoutAManagerNoDescriptorIsTaken() async {
        await #expect(processExitsWith: .success) {
            unsetenv("LISTEN_FDS")
            #expect(Systemd.takeDescriptors().isEmpty)
            // What was meant for another process is not ours.
            setenv("LISTEN_PID", "1", 1)
            setenv("LISTEN_FDS", "2", 1)
            #expect(Systemd.takeDescriptors().isEmpty)
        }
    }
}
