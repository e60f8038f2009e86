import MicroVM
import Testing

extension EndToEnd {
    /// The daemon is killed before and after each action of each plan, and each action is made to fail. After each, ledger,
    /// kernel and audit agree, and what ran before runs again or the kernel's default does.
    @Suite(.serialized) struct Stopping {
        static let actions = ["load", "detach-previous", "attach", "keep", "activate", "retire-previous"]

        private func withStops(_ body: (Guest) async throws -> Void) async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed(
                """
                install -m 0755 /fixtures/schedcpd-stops /run/schedcpd-stops
                mkdir -p /run/systemd/system/schedcpd.service.d
                printf '[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nExecStart=\\nExecStart=/run/schedcpd-stops\\n' \
                    >/run/systemd/system/schedcpd.service.d/stops.conf
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
                rm -f /var/lib/schedcp/stop /run/systemd/system/schedcpd.service.d/stops.conf /run/schedcpd-stops
                systemctl daemon-reload; systemctl reset-failed; systemctl restart schedcpd
                """)
        }

        private func arm(_ guest: Guest, _ what: String) async throws {
            try await guest.vm.succeed(
                "echo '\(what)' >/var/lib/schedcp/stop; chown schedcp:schedcp /var/lib/schedcp/stop")
        }

        /// A change of what runs is in the kernel whole or not at all, whenever the daemon ends.
        @Test func killedInTheMiddleOfAChange() async throws {
            try await withStops { guest in
                try await guest.vm.succeed("schedctl deploy latency")
                for (number, place) in ["before tune", "after tune"].enumerated() {
                    let deployed = try await guest.tuning("").value("slice_us")
                    let wanted = "\(7001 + number)"
                    try await arm(guest, "kill \(place)")
                    #expect(try await guest.schedctl("tune slice_us=\(wanted)").status != 0)
                    try await guest.waitUntil("the next daemon") { try await guest.schedctl("status").status == 0 }
                    let now = try await guest.tuning("")
                    let isDone = place == "after tune"
                    #expect(now.value("slice_us") == (isDone ? wanted : deployed), "\(place)")
                    #expect(now.changes?.count ?? 0 == (isDone ? 1 : 0), "\(place)")
                    #expect(try await guest.disagreements().isEmpty)
                    try await arm(guest, "fail \(place)")
                    #expect(try await guest.schedctl("tune slice_us=9009").status != 0)
                    #expect(try await guest.tuning("").value("slice_us") == now.value("slice_us"))
                }
                #expect(try await guest.tuning("undo").value("slice_us") != "7002")
            }
        }

        @Test func killedAnywhereInADeployment() async throws {
            try await withStops { guest in
                var tried = 0
                for replacing in [false, true] {
                    for action in Self.actions
                    where replacing || !["detach-previous", "retire-previous"].contains(action) {
                        for moment in ["before", "after"] {
                            _ = try await guest.vm.run("schedctl rollback")
                            if replacing { try await guest.vm.succeed("schedctl deploy fifo") }
                            let place = "\(moment) \(action)"
                            try await arm(guest, "kill \(place)")
                            let result = try await guest.vm.run("schedctl deploy vtime")
                            #expect(result.status != 0, "\(place)")
                            #expect(
                                try await guest.vm.run("test -e /var/lib/schedcp/stop").status != 0,
                                "\(place) was not reached")
                            let problems = try await guest.disagreements()
                            #expect(problems.isEmpty, "\(place), replacing \(replacing): \(problems)")
                            // Committed or not: there is no third state.
                            let ops =
                                try await guest.kernelState() == "enabled" ? try await guest.kernelOps() : "default"
                            let isCommitted = place == "after activate" || action == "retire-previous"
                            let expected = isCommitted ? "vtime" : replacing ? "fifo" : "default"
                            #expect(ops.hasPrefix(expected), "\(place), replacing \(replacing): \(ops)")
                            tried += 1
                        }
                    }
                }
                print("attacks: kill \(tried) tried, \(tried) refused")
            }
        }

        /// What made way for a deployment that is cut off was loaded before a CPU went and came back.
        @Test func killedInADeploymentAfterAHotplug() async throws {
            try await withStops { guest in
                for place in ["after detach-previous", "before attach"] {
                    _ = try await guest.vm.run("schedctl rollback")
                    try await guest.vm.succeed("schedctl deploy fifo")
                    let before = try #require(try await guest.status().deployment)
                    try await guest.vm.succeed(Faults.hotplug)
                    try await arm(guest, "kill \(place)")
                    #expect(try await guest.vm.run("schedctl deploy vtime").status != 0, "\(place)")
                    let problems = try await guest.disagreements()
                    #expect(problems.isEmpty, "\(place): \(problems)")
                    #expect(try await guest.kernelOps().hasPrefix("fifo"), "\(place)")
                    #expect(try await guest.status().deployment?.id == before.id, "\(place)")
                }
            }
        }

        @Test func failedAnywhereInADeployment() async throws {
            try await withStops { guest in
                for action in Self.actions where action != "retire-previous" {
                    for moment in ["before", "after"] where !(action == "activate" && moment == "after") {
                        _ = try await guest.vm.run("schedctl rollback; schedctl deploy fifo")
                        let place = "\(moment) \(action)"
                        try await arm(guest, "fail \(place)")
                        let result = try await guest.vm.run("schedctl deploy vtime")
                        #expect(result.status == 1, "\(place): \(result.summary)")
                        #expect(result.stderr.contains("stopped"), "\(result.stderr)")
                        #expect(try await guest.kernelOps().hasPrefix("fifo"), "\(place)")
                        let problems = try await guest.disagreements()
                        #expect(problems.isEmpty, "\(place): \(problems)")
                    }
                }
            }
        }

        @Test func killedAnywhereInARollback() async throws {
            try await withStops { guest in
                for action in ["detach", "forget", "finish"] {
                    for moment in ["before", "after"] {
                        try await guest.vm.succeed("schedctl deploy fifo")
                        try await arm(guest, "kill \(moment) \(action)")
                        #expect(try await guest.vm.run("schedctl rollback").status != 0)
                        let problems = try await guest.disagreements()
                        #expect(problems.isEmpty, "\(moment) \(action): \(problems)")
                        // It had begun, so it is finished.
                        #expect(try await guest.kernelState() == "disabled", "\(moment) \(action)")
                        #expect(try await guest.history().first?.state == "rolled-back", "\(moment) \(action)")
                    }
                }
            }
        }
    }
}
