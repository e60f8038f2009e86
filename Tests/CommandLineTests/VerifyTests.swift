import Foundation
import Linux
import Model
import TestSupport
import Testing

/// `schedctl verify`: what it prints and how it ends.
@Suite(.timeLimit(.minutes(10))) struct VerifyTests {
    static let hasLab = HostFile.environment("SCHEDCP_TEST_LAB") == "1"

    /// Its enqueue forgets tasks of little weight.
    static let lost = """
        /* SPDX-License-Identifier: GPL-2.0-only */
        #include <schedcp/scheduler.bpf.h>

        char _license[] SEC("license") = "GPL";

        void BPF_STRUCT_OPS(lost_enqueue, struct task_struct *p, u64 enq_flags)
        {
        	if (p->scx.weight < 100)
        		return;
        	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }

        SCHEDULER(lost_ops, .enqueue = (void *)lost_enqueue, .name = "lost");
        """

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [
        [], ["mine.txt.c", "--rerun", "deadbeef"], ["/nonexistent/x.bpf.c"], ["./none.o"], ["no-such-scheduler"],
        ["../readme.txt"], ["x.bpf.c", "--stage", "simulate"], ["x.bpf.c", "--stage", "link"],
        ["x.bpf.c", "--effort", "much"], ["x.bpf.c", "--off", "no-such-check"], ["x.bpf.c", "--param", "slice"],
        ["x.bpf.c", "--hint", "make=5s"], ["x.bpf.c", "--hint", "user:make=5s"], ["--explain", "no-such-check"],
        ["x.bpf.o", "--stage", "compile"], ["x.bpf.c", "--param", "a=1", "--param", "a=2"], ["empty.bpf.c"],
    ])
    func wrongUsageIsSixtyFour(_ arguments: [String]) async throws {
        try folder.write("int x;\n", to: "x.bpf.c")
        try folder.write("int x;\n", to: "x.bpf.o")
        try folder.write("", to: "empty.bpf.c")
        let words = arguments.map { folder.exists($0) && !$0.isEmpty ? folder.path($0) : $0 }
        let result = try await CommandLine.run(["verify"] + words, environment: cache)
        #expect(result.status == 64, "\(result.output)")
        #expect(!result.errors.isEmpty)
        #expect(result.output.isEmpty)
        #expect(result.controls.isEmpty)
    }

    @Test func checksAreListedAndExplained() async throws {
        let list = try await CommandLine.run(["verify", "--list-checks"])
        #expect(list.status == 0)
        for check in CheckCatalogue.all { #expect(list.output.contains("\n\(check.name) ")) }
        let json = try await CommandLine.run(["verify", "--list-checks", "--json"])
        #expect((json.json?["checks"] as? [Any])?.count == CheckCatalogue.all.count)
        for check in CheckCatalogue.all.prefix(3) {
            let text = try await CommandLine.run(["verify", "--explain", check.name])
            #expect(text.status == 0)
            #expect(text.output.contains("Remedy"))
        }
        let near = try await CommandLine.run(["verify", "--explain", "lost"])
        #expect(near.errors.contains("lost-task"))
    }

    @Test func evidenceThatIsNotThereIsSaid() async throws {
        let result = try await CommandLine.run(["verify", "--rerun", "deadbeef"], environment: cache)
        #expect(result.status == 64)
        #expect(result.errors.contains("evidence"))
        try folder.write("no attestation", to: "x.json")
        let bad = try await CommandLine.run(["verify", "--rerun", folder.path("x.json")], environment: cache)
        #expect(bad.status != 0)
        #expect(bad.errors.contains("error: "))
    }

    /// An empty cache and a kernel without sched_ext: the machine's fault, and what to do about it.
    @Test(.disabled(if: HostProbe.schedExt().verdict == .found, "the running kernel serves as the target"))
    func withoutAKernelItIsTwo() async throws {
        let source = try folder.write(Self.lost, to: "lost.bpf.c")
        let result = try await CommandLine.run(["verify", source, "--stage", "static"], environment: cache)
        #expect(result.status == 2, "\(result.output)\(result.errors)")
        #expect(result.output.contains("could not be done"))
        #expect(result.output.contains("schedctl lab build"))
        #expect(!result.output.contains("refused"))
        let json = try await CommandLine.run(["verify", source, "--json"], environment: cache)
        #expect(json.status == 2)
        #expect(json.json?["verdict"] as? String == "unable")
    }

    @Test(.enabled(if: hasLab)) func aLostTaskIsShownWithItsPath() async throws {
        let source = try folder.write(Self.lost, to: "lost.bpf.c")
        let place = ["--evidence", folder.path("evidence")]
        let result = try await CommandLine.run(["verify", source] + place)
        #expect(result.status == 1, "\(result.output)\(result.errors)")
        #expect(result.output.contains("\(source):8:"))
        #expect(result.output.contains(": error: "))
        #expect(result.output.contains("[lost-task]"))
        #expect(result.output.contains("if (p->scx.weight < 100)"))
        #expect(result.output.contains(": note: "))
        #expect(result.output.contains("kernel   skipped"))
        #expect(result.controls.isEmpty)

        let sarif = folder.path("lost.sarif")
        let again = try await CommandLine.run(["verify", source, "--sarif", sarif, "--json"] + place)
        #expect(again.status == 1)
        #expect(again.json?["from_evidence"] as? Bool == true)
        let log = try JSONSerialization.jsonObject(with: Data(folder.bytes("lost.sarif"))) as? [String: Any]
        #expect(log?["version"] as? String == "2.1.0")

        let id = try #require(again.json?["evidence"] as? String)
        let rerun = try await CommandLine.run(["verify", "--rerun", id] + place)
        #expect(rerun.status == 1)
        #expect(rerun.output.contains("the same: artifact, verdicts and findings"))

        let off = try await CommandLine.run(["verify", source, "--stage", "static", "--off", "lost-task"] + place)
        #expect(!off.output.contains("[lost-task]"))
    }

    private var cache: [String: String] { ["SCHEDCP_CACHE": folder.path("cache")] }
}
