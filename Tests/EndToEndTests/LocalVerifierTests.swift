import Foundation
import MicroVM
import Testing

extension EndToEnd {
    /// The machine's own verifier: systemd starts it from its socket, confined, one process a job.
    ///
    /// There is no QEMU in the machine, because a machine inside an emulated machine would take minutes to boot. So each job ends with a
    /// kernel stage that says that it could not be done; what comes before is judged as anywhere. That the unit may open /dev/kvm is
    /// asked of the device itself.
    @Suite(.serialized) struct LocalVerifier {
        private static let rules = "/etc/schedcp/rules.conf"
        private static let unit = "/usr/lib/systemd/system/schedcp-verify@.service"

        /// With the `verifier` line that is shipped, in place of the lab's.
        private func withLocal(_ body: (Guest) async throws -> Void) async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                """
                cp \(Self.rules) /tmp/rules.saved; shipped=$(grep '^verifier ' /usr/share/schedcp/rules.conf)
                sed -i "s|^verifier lab .*|$shipped|" \(Self.rules) && grep -q '^verifier local socket' \(Self.rules)
                schedctl rules reload; systemctl start schedcp-verify.socket
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
                systemctl stop schedcp-verify.socket 'schedcp-verify@*'
                cp /tmp/rules.saved \(Self.rules); schedctl rules reload
                """)
        }

        /// The units of jobs in progress.
        private func jobs(_ guest: Guest) async throws -> [String] {
            try await guest.vm.succeed("systemctl list-units --no-legend --plain 'schedcp-verify@*' | awk '{print $1}'")
                .split(separator: "\n").map(String.init)
        }

        private func waitForNoJob(_ guest: Guest) async throws {
            try await guest.waitUntil("the jobs to end") { try await jobs(guest).isEmpty }
            #expect(try await guest.vm.run("pgrep -u schedcp-verify").status == 1)
        }

        private struct Reply: Decodable {
            struct Stage: Decodable {
                struct Finding: Decodable { var check: String }

                var stage: String
                var verdict: String
                var log: String?
                var findings: [Finding]?
            }

            var stages: [Stage]
            var verifier: String

            subscript(_ name: String) -> String { stages.first { $0.stage == name }?.verdict ?? "" }
            func log(_ name: String) -> String { stages.first { $0.stage == name }?.log ?? "" }
        }

        private func verify(_ guest: Guest, _ what: String, user: String? = nil) async throws -> Reply {
            let result = try await guest.schedctl("attest issue \(what) --json", user: user)
            // Neither was attested.
            #expect(result.status == 5, "\(result.summary)")
            return try JSONDecoder().decode(Reply.self, from: Data(result.stdout.utf8))
        }

        @Test func candidatesAreJudgedByProcessesThatEnd() async throws {
            try await withLocal { guest in
                let since = try await guest.vm.succeed("date '+%s.%N'").filter { $0.isNumber || $0 == "." }
                let bad = try await verify(guest, "/fixtures/stall.bpf.o --reason testing")
                #expect(bad.verifier == "local" && bad["static"] == "failed", "\(bad)")
                #expect(bad.stages.flatMap { $0.findings ?? [] }.contains { $0.check == "lost-task" }, "\(bad)")
                #expect(!["passed", "unable"].contains(bad["kernel"]), "\(bad)")
                let good = try await verify(guest, "vtime")
                #expect(good["static"] == "passed" && good["kernel"] == "unable", "\(good)")
                #expect(good.log("kernel").contains("nothing to boot"), "\(good)")
                try await waitForNoJob(guest)
                // A unit for each of the two, and both ended well.
                let journal = try await guest.vm.succeed(
                    "journalctl --no-pager -o cat --since @\(since) -u 'schedcp-verify@*'")
                let started = journal.split(separator: "\n").filter { $0.hasPrefix("Started schedcp-verify@") }
                #expect(started.count == 2 && Set(started).count == 2, "\(journal)")
                #expect(!journal.contains("Failed with result") && !journal.contains("thread priority"), "\(journal)")
                // The evidence is the verifier's, for nobody else to read.
                let others = try await guest.vm.succeed(
                    "find /var/lib/schedcp-verify/ ! -user schedcp-verify -o -perm /077 | head -n 5; find /var/lib/schedcp-verify/evidence -type f | wc -l"
                )
                #expect((Int(others.filter(\.isNumber)) ?? 0) > 0, "\(others)")
                #expect(!others.contains("/"), "\(others)")
                #expect(try await guest.kernelState() == "disabled")
            }
        }

        /// The compiler is confined a second time, inside what the unit permits.
        @Test func sourceIsCompiledInTheUnitsSandbox() async throws {
            try await withLocal { guest in
                try await Verifying.agent(guest)
                try await guest.vm.succeed(
                    "mkdir -p /opt/llvm && ln -sfn /fixtures/llvm /opt/llvm/usr && cp -r /fixtures/llvm/include/bpf /usr/include/"
                )
                let good = try await compiled(guest, try Verifying.source(losing: false))
                #expect(good["compile"] == "passed", "\(good.log("compile"))")
                #expect(good["static"] == "passed" && good["kernel"] == "unable", "\(good)")
                try await guest.vm.put(
                    Array("#include \"/etc/shadow\"\nint x\n".utf8), to: "/tmp/bad.bpf.c", mode: 0o644)
                let bad = try await verify(guest, "/tmp/bad.bpf.c", user: "carol")
                #expect(bad["compile"] == "failed", "\(bad)")
                #expect(!bad.log("compile").contains("root:"), "\(bad)")
                try await waitForNoJob(guest)
                try await guest.vm.succeed("rm -r /opt/llvm /usr/include/bpf")
            }
        }

        /// The compiler has 20 s, which an emulated processor of a busy machine may not be enough for: then once more, and as another
        /// source, because a verdict is remembered.
        private func compiled(_ guest: Guest, _ source: [UInt8]) async throws -> Reply {
            var attempt = 0
            while true {
                attempt += 1
                try await guest.vm.put(source + Array("/* \(attempt) */\n".utf8), to: "/tmp/mine.bpf.c", mode: 0o644)
                let reply = try await verify(guest, "/tmp/mine.bpf.c", user: "carol")
                let isTooSlow = reply.stages.flatMap { $0.findings ?? [] }.contains { $0.check == "compile-limits" }
                if !isTooSlow || attempt == 6 { return reply }
            }
        }

        /// Two connections that say nothing are two jobs that wait: time to look at them.
        @Test func eachJobIsAProcessOfItsOwnWithoutPrivilege() async throws {
            try await withLocal { guest in
                let connect =
                    "perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => q(/run/schedcp/verify.sock)) or exit 3; sleep 600'"
                #expect(try await guest.vm.run(connect, user: "alice").status == 3)
                try await guest.vm.succeed(
                    "(\(connect) & echo $! >/tmp/one; \(connect) & echo $! >/tmp/two) >/dev/null 2>&1")
                try await guest.waitUntil("two jobs") { try await jobs(guest).count == 2 }
                var processes: Set<String> = []
                for job in try await jobs(guest) {
                    let shown = try await guest.vm.succeed("systemctl show -P MainPID -P User '\(job)'")
                    let words = shown.split(separator: "\n").map(String.init)
                    #expect(words.contains("schedcp-verify"), "\(shown)")
                    let pid = try #require(words.first { Int($0) != nil })
                    processes.insert(pid)
                    // Before that it is still systemd, which makes it what it is to be.
                    try await guest.waitUntil("the job's program") {
                        try await guest.vm.run("readlink /proc/\(pid)/exe").stdout.contains("/schedcp-verify")
                    }
                    try await expectNoPrivilege(guest, pid)
                    #expect(try await guest.read("/proc/\(pid)/cgroup").contains(job))
                }
                #expect(processes.count == 2 && !processes.contains("0"))
                // A job ends with the connection that it came over, and the other goes on.
                try await guest.vm.succeed("kill $(cat /tmp/one)")
                try await guest.waitUntil("one job") { try await jobs(guest).count == 1 }
                try await guest.vm.succeed("kill $(cat /tmp/two)")
                try await waitForNoJob(guest)
            }
        }

        private func expectNoPrivilege(_ guest: Guest, _ pid: String) async throws {
            let uid = try await guest.vm.succeed("id -u schedcp-verify").filter(\.isNumber)
            let kvm = try await guest.vm.succeed("getent group kvm | cut -d: -f3").filter(\.isNumber)
            var fields: [String: Set<String>] = [:]
            for line in try await guest.vm.succeed("cat /proc/\(pid)/task/*/status").split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                if parts.count == 2 { fields[parts[0], default: []].insert(parts[1]) }
            }
            #expect(fields["Uid"] == ["\(uid)\t\(uid)\t\(uid)\t\(uid)"])
            let groups = Set(fields["Groups"]?.first?.split(separator: " ").map(String.init) ?? [])
            let own = try await guest.vm.succeed("id -g schedcp-verify").filter(\.isNumber)
            #expect(groups.isSubset(of: [own, kvm]) && groups.contains(kvm), "\(groups)")
            for name in ["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"] {
                #expect(fields[name] == ["0000000000000000"], "\(name)")
            }
            #expect(fields["NoNewPrivs"] == ["1"])
            #expect(fields["Seccomp"] == ["2"])
            let networks = try await guest.vm.succeed("readlink /proc/1/ns/net /proc/\(pid)/ns/net").split(
                separator: "\n")
            #expect(Set(networks).count == 2, "\(networks)")
        }

        /// What the unit lets a process do, asked of the kernel by one that runs in the unit's place.
        @Test func theUnitOpensTheAcceleratorAndLittleElse() async throws {
            try await withLocal { guest in
                try await guest.vm.put(Array(Self.probe.utf8), to: "/run/verify-probe.pl", mode: 0o644)
                // The machine's processor has no virtualization: this node leads to no driver, and who may open it is told just that.
                try await guest.vm.succeed(
                    """
                    [ -e /dev/kvm ] || mknod /dev/kvm c 10 232; chgrp kvm /dev/kvm; chmod 660 /dev/kvm
                    [ -e /dev/verify-probe ] || mknod -m 666 /dev/verify-probe c 5 1
                    mkdir -p /run/systemd/system; rm -f /run/verify-probe.out
                    sed -e 's|^ExecStart=.*|ExecStart=/usr/bin/perl /run/verify-probe.pl|' -e 's|^StandardInput=.*|StandardInput=null|' \
                        -e 's|^StandardOutput=.*|StandardOutput=file:/run/verify-probe.out|' '\(Self.unit)' \
                        >/run/systemd/system/verify-probe.service
                    systemctl daemon-reload; systemctl start --wait verify-probe
                    """)
                let said = try await guest.read("/run/verify-probe.out")
                var seen: [String: String] = [:]
                for line in said.split(separator: "\n") {
                    let words = line.split(separator: " ").map(String.init)
                    if words.count == 2 { seen[words[0]] = words[1] }
                }
                #expect(["ok", "ENODEV", "ENXIO"].contains(seen["kvm"] ?? ""), "\(said)")
                #expect(
                    seen.filter { $0.key != "kvm" } == [
                        "device": "EPERM", "null": "ok", "unix": "ok", "internet": "EAFNOSUPPORT", "shadow": "EACCES",
                        "keys": "EACCES", "system": "EROFS", "state": "ok", "cache": "ok", "init": "ENOENT",
                        "bpf": "EPERM", "keyring": "EPERM", "module": "EPERM", "perf": "EPERM",
                    ], "\(said)")
                let report = try await guest.vm.succeed(
                    "cp '\(Self.unit)' /tmp/schedcp-verify.service; systemd-analyze security --no-pager --offline=true /tmp/schedcp-verify.service"
                )
                let line = try #require(report.split(separator: "\n").last { $0.contains("Overall exposure level") })
                let number = try #require(line.split(separator: " ").compactMap { Double($0) }.first)
                #expect(number <= 2.5, "\(report)")
                print("systemd-analyze security of the verifier: \(number)")
                try await guest.vm.succeed(
                    "rm -f /run/systemd/system/verify-probe.service /dev/verify-probe /dev/kvm; systemctl daemon-reload"
                )
            }
        }

        private static let probe = """
            use strict; use warnings; use Errno; use Fcntl; use Socket;
            sub say_of { my ($what, $is_ok) = @_; my ($error) = grep { $!{$_} } keys %!; print "$what ", $is_ok ? 'ok' : $error, "\\n" }
            sub opens { my ($what, $path, $how) = @_; say_of($what, sysopen(my $f, $path, $how)) }
            opens('kvm', '/dev/kvm', O_RDWR);
            opens('device', '/dev/verify-probe', O_RDWR);
            opens('null', '/dev/null', O_RDWR);
            opens('shadow', '/etc/shadow', O_RDONLY);
            opens('keys', '/var/lib/schedcp/keyring.json', O_RDONLY);
            opens('system', '/etc/verify-probe', O_WRONLY | O_CREAT);
            opens('state', '/var/lib/schedcp-verify/probe', O_WRONLY | O_CREAT);
            opens('cache', '/var/cache/schedcp-verify/probe', O_WRONLY | O_CREAT);
            opens('init', '/proc/1/cmdline', O_RDONLY);
            say_of('unix', socket(my $u, AF_UNIX, SOCK_STREAM, 0));
            say_of('internet', socket(my $i, AF_INET, SOCK_STREAM, 0));
            say_of('bpf', syscall(321, 0, 0, 0) >= 0);
            say_of('keyring', syscall(250, 0, 0, 0) >= 0);
            say_of('module', syscall(313, 0, 0, 0) >= 0);
            say_of('perf', syscall(298, 0, 0, 0, 0, 0) >= 0);
            """
    }
}
