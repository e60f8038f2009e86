import Foundation
import MicroVM
import Testing

extension EndToEnd {
    /// What runs, changed and seen while it runs.
    @Suite(.serialized) struct Live {
        @Test func aValueIsChangedReadBackAndTakenBack() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy latency")
            let sequence = try await guest.enableSequence()
            let before = try await guest.tuning("")
            let deployed = try #require(before.value("slice_us"))
            let after = try await guest.tuning("slice_us=7654")
            #expect(after.value("slice_us") == "7654" && after.changes?.count == 1)
            // The kernel's word, not the daemon's.
            let kernel = try await guest.vm.succeed("bpftool map dump name .data.tunables")
            #expect(kernel.contains("7654"), "\(kernel)")
            for (bad, words) in [
                ("slice_us=5", "between"), ("slice_us=x", "whole number"), ("nothing=1", "no parameter"),
                ("slack_us=1000 slice_us=999999999", "between"), ("--hint process:a=1s", "no hints"),
                ("--layers /tmp/no-such-file", "no file"),
            ] {
                let result = try await guest.schedctl("tune \(bad)")
                #expect(result.status != 0 && result.stderr.contains(words), "\(bad): \(result.stderr)")
            }
            let same = try await guest.tuning("")
            #expect(same.tunables?.map(\.value) == after.tunables?.map(\.value) && same.changes?.count == 1)
            #expect(try await guest.schedctl("tune slice_us=2000", user: "alice").status == 4)
            #expect(try await guest.tuning("undo").value("slice_us") == deployed)
            #expect(try await guest.schedctl("tune undo").status != 0)
            #expect(try await guest.enableSequence() == sequence)
            let audit = try await guest.vm.succeed("grep -h tune /var/log/schedcp/audit*")
            #expect(audit.contains("slice_us=7654") && audit.contains("alice"), "\(audit)")
            #expect(try await guest.vm.succeed("schedctl events").contains("tuned"))
        }

        @Test func aChangeOutlivesTheDaemon() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy latency --param slack_us=12345")
            let sequence = try await guest.enableSequence()
            _ = try await guest.tuning("slice_us=7654")
            for end in ["systemctl restart schedcpd", "kill -9 \(try await guest.mainPID()); sleep 1"] {
                try await guest.vm.succeed(end)
                try await guest.waitUntil("the daemon") { try await guest.schedctl("status").status == 0 }
                let now = try await guest.tuning("")
                #expect(now.value("slice_us") == "7654" && now.value("slack_us") == "12345", "\(end)")
                #expect(now.changes?.count == 1)
            }
            #expect(try await guest.tuning("slack_us=1111").value("slack_us") == "1111")
            #expect(try await guest.tuning("undo").value("slack_us") == "12345")
            let reset = try await guest.tuning("reset")
            #expect(reset.value("slice_us") != "7654" && reset.value("slack_us") == "12345")
            #expect(try await guest.enableSequence() == sequence)
            #expect(try await guest.status().kernel.owner == "OURS")
            try await guest.vm.succeed("systemctl reset-failed schedcpd")
        }

        @Test func layersAreChangedWithoutALoad() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy layered")
            let sequence = try await guest.enableSequence()
            try await guest.vm.succeed(
                """
                cp /usr/bin/yes /tmp/goldtask
                printf 'layer 0 weight=100\\nlayer 1 weight=10 cap=50%%\\nlayer 2 weight=100\\nlayer 3 weight=300 guarantee=20%%\\n' >/tmp/layers
                printf 'rule 3 name=goldtask\\nrule 1 cgroup=system.slice/schedcpd.service nice=5..19\\n' >>/tmp/layers
                """)
            let table = try #require(try await guest.tuning("--layers /tmp/layers").layers)
            #expect(table.layers?.count == 4 && table.layers?[3].guarantee == 200)
            #expect(table.rules?.first?.name == "goldtask" && table.rules?.first?.layer == 3)
            #expect(table.rules?.last?.cgroup == "system.slice/schedcpd.service")
            // Tasks are sorted by the new rules.
            try await guest.vm.succeed("(timeout 20 /tmp/goldtask >/dev/null 2>&1 &); sleep 1")
            try await guest.waitUntil("work in layer 3", tries: 20) {
                let view = try await guest.view()
                return view.counters?.first { $0.name == "layer3_ns" }?.per_second ?? 0 > 1e7
            }
            for bad in [
                "layer 0 weight=0", "layer 0 weight=1\\nrule 1 name=a",
                "layer 0 weight=1\\nrule 0 cgroup=no/such/group",
            ] {
                let result = try await guest.vm.run("printf '\(bad)\\n' | schedctl tune --layers -")
                #expect(result.status != 0, "\(bad)")
            }
            #expect(try await guest.tuning("").layers == table)
            #expect(try await guest.view().layers?.rules?.count == 2)
            let back = try #require(try await guest.tuning("reset").layers)
            #expect(back.layers?.count == 3 && back.rules?.allSatisfy { $0.name == nil } == true)
            #expect(try await guest.enableSequence() == sequence)
            _ = try await guest.vm.run("pkill goldtask")
        }

        @Test func hintsComeAndGo() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy ljf --hint process:encoder=40s")
            let some = try await guest.tuning("--hint process:linker=2s --hint cgroup:system.slice=3s")
            #expect(Set(some.hints?.map(\.key) ?? []) == ["encoder", "linker", "system.slice"])
            #expect(try await guest.vm.succeed("bpftool map dump name hint_comm").contains("2000000000"))
            let fewer = try await guest.tuning("--forget-hint process:encoder --forget-hint cgroup:system.slice")
            #expect(fewer.hints?.map(\.key) == ["linker"])
            #expect(try await guest.schedctl("tune --forget-hint process:encoder").status != 0)
            #expect(try await guest.schedctl("tune --hint cgroup:no/such/group=1s").status != 0)
            #expect(try await guest.tuning("reset").hints?.map(\.key) == ["encoder"])
        }

        @Test func aViewHasWhatTheMachineDoes() async throws {
            let guest = try await Guest.clean()
            try await guest.vm.succeed("schedctl deploy vtime")
            try await guest.vm.succeed(
                "for i in 1 2 3 4 5 6; do (timeout 30 sh -c 'while :; do :; done' &) ; done; sleep 1")
            let first = try await guest.view()
            let second = try await guest.view()
            #expect(first.kernel.owner == "OURS" && first.deployment?.scheduler == "vtime")
            #expect(first.cpus?.isEmpty == false && first.cpus?.contains { $0.busy ?? 0 > 0.5 } == true)
            #expect(first.waits?.counts?.reduce(0, +) ?? 0 > 0 && first.waits?.p99_nanoseconds ?? 0 > 0)
            #expect(first.queues?.isEmpty == false, "\(first.missing ?? [])")
            // More tasks than CPUs: some wait in a queue, in one view or the other.
            let waiting = [first, second].flatMap { $0.queues ?? [] }.map { $0.tasks ?? 0 }.reduce(0, +)
            #expect(waiting > 0)
            func total(_ view: ViewReport, _ name: String) -> UInt64 {
                view.counters?.first { $0.name == name }?.total ?? 0
            }
            #expect(total(second, "enqueued") > total(first, "enqueued"))
            #expect(first.events?.contains { $0.kind == "deployed" } == true)
            // Nobody looks any more: the probes are gone from the kernel.
            try await guest.waitUntil("the probe's end") {
                try await guest.vm.run("bpftool prog show | grep -E 'on_switch|count_queued'").status != 0
            }
            try await guest.vm.succeed("schedctl rollback; pkill -f '[w]hile :' || true")
            let idle = try await guest.view()
            #expect(idle.cpus?.isEmpty == false && idle.waits?.counts?.isEmpty == false)
            #expect(idle.counters == nil && idle.queues == nil && idle.deployment == nil)
        }

        /// What made way and had to be loaded anew is as it was changed.
        @Test func aChangeComesBackWithItsScheduler() async throws {
            let guest = try await Guest.clean()
            try await guest.anHourLater()
            try await guest.vm.succeed("schedctl deploy latency")
            _ = try await guest.tuning("slice_us=7654")
            // A CPU comes and goes: the kernel does not attach again what was loaded before.
            try await guest.vm.succeed(Faults.hotplug)
            let result = try await guest.schedctl("deploy /fixtures/initfails.bpf.o --unverified --reason testing")
            #expect(result.status != 0)
            try await guest.waitUntil("latency again") { try await guest.status().deployment?.scheduler == "latency" }
            #expect(try await guest.tuning("").value("slice_us") == "7654")
            let kernel = try await guest.vm.succeed("bpftool map dump name .data.tunables")
            #expect(kernel.contains("7654"), "\(kernel)")
            // Also as a deployment of its own, after the one that followed it was thrown out.
            let before = try #require(try await guest.status().deployment)
            try await guest.vm.succeed("schedctl deploy /fixtures/ejects.bpf.o --unverified --reason testing")
            try await guest.waitUntil("the last known good one") {
                let now = try await guest.status()
                return now.deployment?.scheduler == "latency" && now.deployment?.id != before.id
            }
            #expect(try await guest.tuning("").value("slice_us") == "7654")
            #expect(try await guest.tuning("reset").value("slice_us") != "7654")
        }
    }
}

struct TuningReport: Decodable {
    struct Value: Decodable {
        struct Spec: Decodable { var name: String }
        var spec: Spec
        var value: String
        var deployed: String
    }

    struct Hint: Decodable { var key: String }
    struct Change: Decodable { var number: UInt64? }

    var tunables: [Value]?
    var hints: [Hint]?
    var layers: LayersReport?
    var changes: [Change]?

    func value(_ name: String) -> String? { tunables?.first { $0.spec.name == name }?.value }
}

struct LayersReport: Decodable, Equatable {
    struct Layer: Decodable, Equatable {
        var weight: UInt32?
        var guarantee: UInt32?
        var cap: UInt32?
    }

    struct Rule: Decodable, Equatable {
        var layer: UInt32?
        var name: String?
        var cgroup: String?
    }

    var layers: [Layer]?
    var rules: [Rule]?
}

struct ViewReport: Decodable {
    struct CPU: Decodable { var busy: Double? }
    struct Queue: Decodable {
        var name: String
        var tasks: UInt32?
    }
    struct Waits: Decodable {
        var counts: [UInt64]?
        var p99_nanoseconds: UInt64?
    }
    struct Counter: Decodable {
        var name: String
        var total: UInt64?
        var per_second: Double?
    }
    struct Event: Decodable { var kind: String? }

    var kernel: StatusReport.Kernel
    var deployment: DeploymentReport?
    var cpus: [CPU]?
    var queues: [Queue]?
    var waits: Waits?
    var counters: [Counter]?
    var layers: LayersReport?
    var events: [Event]?
    var missing: [String]?
}

extension Guest {
    func tuning(_ arguments: String) async throws -> TuningReport {
        let text = try await vm.succeed("schedctl tune \(arguments) --json")
        return try JSONDecoder().decode(TuningReport.self, from: Data(text.utf8))
    }

    func view() async throws -> ViewReport {
        let text = try await vm.succeed("schedctl top --once --json")
        return try JSONDecoder().decode(ViewReport.self, from: Data(text.utf8))
    }
}
