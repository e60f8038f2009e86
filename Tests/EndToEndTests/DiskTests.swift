import Foundation
import MicroVM
import Testing

extension EndToEnd {
    /// The disk fails at each write and each sync of a deployment, one after the other: nothing that was acknowledged is lost,
    /// and nothing is half done.
    @Suite(.serialized) struct Disk {
        /// Every one of them takes minutes where the processor is emulated: the ordinary run fails every fourth write and
        /// every second sync.
        private static let isThorough = ProcessInfo.processInfo.environment["SCHEDCP_TEST_EVERY"] != nil

        private func withFaults(_ body: (Guest) async throws -> Void) async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                """
                install -m 0755 /fixtures/failing_io.so /run/failing_io.so
                mkdir -p /run/systemd/system/schedcpd.service.d
                printf '[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nEnvironment=LD_PRELOAD=/run/failing_io.so\\n' \
                    >/run/systemd/system/schedcpd.service.d/faults.conf
                systemctl daemon-reload; systemctl restart schedcpd
                """)
            do { try await body(guest) } catch {
                try await restore(guest)
                throw error
            }
            try await restore(guest)
        }

        private func restore(_ guest: Guest) async throws {
            try await guest.vm.succeed(
                """
                rm -f /var/lib/schedcp/faults* /run/systemd/system/schedcpd.service.d/faults.conf /run/failing_io.so
                systemctl daemon-reload; systemctl reset-failed; systemctl restart schedcpd
                """)
        }

        private func arm(_ guest: Guest, _ kind: String, _ number: Int) async throws {
            try await guest.vm.succeed(
                """
                rm -f /var/lib/schedcp/faults.count
                echo '\(kind) \(number)' >/var/lib/schedcp/faults; chown schedcp:schedcp /var/lib/schedcp/faults
                """)
        }

        /// - Returns: how many places were tried, and the last one that there is.
        private func everywhere(_ kind: String, step: Int, in guest: Guest) async throws -> (tried: Int, last: Int) {
            var (number, tried, isFresh) = (1, 0, false)
            while number < 400 {
                if !isFresh { _ = try await guest.vm.run("schedctl rollback; schedctl deploy fifo") }
                let result = try await guest.vm.run(
                    """
                    rm -f /var/lib/schedcp/faults.count; echo '\(kind) \(number)' >/var/lib/schedcp/faults
                    chown schedcp:schedcp /var/lib/schedcp/faults
                    schedctl deploy vtime; status=$?
                    rm -f /var/lib/schedcp/faults; echo "count $(cat /var/lib/schedcp/faults.count 2>/dev/null || echo 0)"
                    exit $status
                    """)
                let count = Int(result.stdout.split(separator: " ").last?.filter(\.isNumber) ?? "") ?? 0
                let problems = try await guest.disagreements()
                #expect(problems.isEmpty, "\(kind) \(number): \(problems)")
                // What was acknowledged is so; what was refused has left the one before.
                let ops = try await guest.kernelState() == "enabled" ? try await guest.kernelOps() : "default"
                if result.status == 0 {
                    #expect(ops.hasPrefix("vtime"), "\(kind) \(number): \(ops)")
                } else {
                    #expect(ops.hasPrefix("fifo"), "\(kind) \(number): \(ops), \(result.stderr)")
                }
                if count < number { break }
                number += step
                tried += 1
                isFresh = ops.hasPrefix("fifo")
            }
            return (tried, number - 1)
        }

        @Test func aFullDiskAtEachWrite() async throws {
            try await withFaults { guest in
                let places = try await everywhere("write", step: Self.isThorough ? 1 : 4, in: guest)
                #expect(places.last > 10)
                print("attacks: disk-full \(places.tried) tried, \(places.tried) refused")
            }
        }

        @Test func aFailingSync() async throws {
            try await withFaults { guest in
                let places = try await everywhere("sync", step: Self.isThorough ? 1 : 2, in: guest)
                #expect(places.last > 5)
                print("attacks: fsync \(places.tried) tried, \(places.tried) refused")
            }
        }

        @Test func aRollbackNeedsNoDisk() async throws {
            try await withFaults { guest in
                try await guest.vm.succeed("schedctl deploy fifo")
                try await arm(guest, "write", 1)
                let result = try await guest.schedctl("rollback")
                #expect(result.status == 0, "\(result.summary)")
                #expect(try await guest.kernelState() == "disabled")
                #expect(try await guest.schedctl("deploy fifo").status == 1)
                #expect(try await guest.schedctl("status").stdout.contains("audit"))
                try await guest.vm.succeed("rm -f /var/lib/schedcp/faults")
                #expect(try await guest.disagreements().isEmpty)
            }
        }
    }
}
