import Foundation
import MicroVM
import Testing

extension EndToEnd {
    /// The policy repository of an installed SchedCP.
    @Suite(.serialized) struct Repository {
        @Test func whatIsInstalledIsFoundAndTravels() async throws {
            let guest = try await Guest.clean()
            let found = try await guest.vm.succeed("schedctl search 'batches of jobs that end together' --json")
            #expect(found.contains("\"ljf\""), "\(found)")
            #expect(try await guest.vm.succeed("schedctl repo list").contains("fifo"))
            let verified = "schedctl repo list --status verified --json"
            // No test has compact verified.
            #expect(try await !guest.vm.succeed(verified).contains("\"compact\""))
            try await guest.vm.succeed("schedctl attest issue fifo >/tmp/fifo.json")
            #expect(try await guest.vm.succeed(verified).contains("\"fifo\""))
            // There and back again: it is here already, and nothing of it is lost or counts twice.
            let before = try await guest.vm.succeed("schedctl repo show fifo")
            try await guest.vm.succeed("rm -rf /tmp/policies; schedctl repo export fifo -o /tmp/policies")
            try await guest.vm.succeed("schedctl repo import /tmp/policies")
            #expect(try await guest.vm.succeed("schedctl repo show fifo") == before)
            #expect(try await guest.vm.succeed("schedctl doctor || true").contains("policy repository"))
        }

        @Test func whatIsNotInstalledIsDeployedByItsVersion() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl attest issue fifo >/tmp/fifo.json")
            let installed = "/usr/lib/schedcp/schedulers/fifo.toml"
            try await guest.vm.succeed("mv \(installed) /tmp/fifo.toml; systemctl reload schedcpd")
            let missing = try await guest.schedctl("deploy fifo")
            #expect(missing.status != 0 && missing.stderr.contains("fifo@1.0.0"), "\(missing.summary)")
            let deployed = try await guest.schedctl("deploy fifo@1.0.0")
            try await guest.vm.succeed("mv /tmp/fifo.toml \(installed); systemctl reload schedcpd")
            #expect(deployed.status == 0, "\(deployed.summary)")
            let view = try await guest.view()
            #expect(view.queues?.map(\.name) == ["llc"], "\(view.missing ?? [])")
            #expect(view.counters?.contains { $0.name == "enqueued" } == true)
            #expect(try await guest.disagreements().isEmpty)
        }

        @Test func aDamagedDatabaseIsMadeAgain() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl attest issue fifo >/tmp/fifo.json")
            let verified = "schedctl repo list --status verified --json"
            #expect(try await guest.vm.succeed(verified).contains("\"fifo\""))
            try await guest.vm.succeed(
                """
                systemctl stop schedcpd.socket schedcpd
                cd /var/lib/schedcp/repository; size=$(stat -c %s policies.sqlite)
                dd if=/dev/urandom of=policies.sqlite bs=1 seek=$((size / 2)) count=4096 conv=notrunc 2>/dev/null
                rm -f policies.sqlite-wal policies.sqlite-shm
                systemctl start schedcpd.socket schedcpd
                """)
            #expect(try await guest.vm.succeed(verified).contains("\"fifo\""))
            let log = try await guest.vm.succeed("journalctl -u schedcpd -b --no-pager")
            #expect(
                log.contains("the policy repository was damaged")
                    && log.contains("nothing that was acknowledged was lost"))
            #expect(try await guest.vm.succeed("ls /var/lib/schedcp/repository").contains("policies.sqlite.damaged-"))
            try await guest.vm.succeed("schedctl deploy fifo")
            #expect(try await guest.disagreements().isEmpty)
        }

        @Test func withoutADiskEverythingElseWorks() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                """
                systemctl stop schedcpd.socket schedcpd; mv /var/lib/schedcp/repository /var/lib/schedcp/away
                : >/var/lib/schedcp/repository; systemctl start schedcpd.socket schedcpd; schedctl deploy fifo
                """)
            let search = try await guest.schedctl("search batch")
            #expect(
                search.status != 0 && search.stderr.contains("the policy repository is not open"), "\(search.summary)")
            #expect(try await guest.vm.succeed("schedctl doctor || true").contains("the policy repository is not open"))
            try await guest.vm.succeed(
                """
                rm /var/lib/schedcp/repository; mv /var/lib/schedcp/away /var/lib/schedcp/repository
                systemctl reload schedcpd; schedctl search batch
                """)
        }
    }
}
