import Linux
import Model
import Testing

@testable import Trials

@Suite(.timeLimit(.minutes(5)))
struct GuestImageTests {
    @Test func theLinkersListIsRead() {
        let text = """
            \tlinux-vdso.so.1 (0x00007f89bde54000)
            \tlibelf.so.1 => /lib/x86_64-linux-gnu/libelf.so.1 (0x00007f89bdd48000)
            \tlibgone.so.1 => not found
            \t/lib64/ld-linux-x86-64.so.2 (0x00007f89bde56000)
            """
        #expect(GuestSystemImage.libraries(in: text) == ["/lib/x86_64-linux-gnu/libelf.so.1"])
    }

    @Test func driversComeAfterWhatTheyNeed() {
        let text = """
            kernel/drivers/virtio/virtio.ko.xz:
            kernel/drivers/virtio/virtio_ring.ko.xz: kernel/drivers/virtio/virtio.ko.xz
            kernel/drivers/virtio/virtio_pci.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz kernel/drivers/virtio/virtio.ko.xz
            kernel/drivers/char/virtio_console.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz kernel/drivers/virtio/virtio.ko.xz
            """
        let files = PortModules.files(in: "/lib/modules/7", dependencies: text)
        #expect(
            files.map { String($0.split(separator: "/").last ?? "") } == [
                "virtio.ko.xz", "virtio_ring.ko.xz", "virtio_pci.ko.xz", "virtio_console.ko.xz",
            ])
        #expect(PortModules.files(in: "/lib/modules/7", dependencies: "kernel/fs/nfs.ko:\n").isEmpty)
    }

    @Test func theSameFilesGiveTheSameImage() async throws {
        var options = TrialOptions(cache: "/nonexistent")
        options.guestProgram = "/bin/true"
        options.probes = "/nonexistent"
        let image = try GuestSystemImage(options: options, kernel: TrialKernel(vmlinuz: "/nonexistent"))
        let archive = try await image.archive()
        #expect(try await image.archive() == archive)
        let entries = try CPIOArchiveTests.entries(archive)
        #expect(entries.contains { $0.name == "init" && $0.mode == 0o100755 })
        #expect(entries.contains { "/" + $0.name == GuestSystemImage.linker })
        #expect(entries.contains { $0.name.hasSuffix("/libc.so.6") })
    }

    @Test func hintsOfProcessesAreKeysOfSixteenBytes() throws {
        var candidate = TrialCandidate(object: [])
        candidate.hintMaps = [.process: "process_hints", .cgroup: "cgroup_hints"]
        candidate.hints = [
            try Hint(kind: .process, key: "ab", nanoseconds: 5), try Hint(kind: .cgroup, key: "/x", nanoseconds: 6),
        ]
        #expect(TrialHints.lines(candidate) == "process_hints 6162\(String(repeating: "00", count: 14)) 5\n")
        candidate.hintMaps = [:]
        #expect(TrialHints.lines(candidate).isEmpty)
    }

    @Test func aKernelThatIsNotThereIsAReport() async {
        let trials = Trials(
            kernel: TrialKernel(vmlinuz: "/nonexistent/vmlinuz"), options: TrialOptions(cache: "/nonexistent"))
        let reports = await trials.run(TrialCandidate(object: []), effort: .quick)
        #expect(reports.map(\.stage) == [.kernel, .dynamic])
        #expect(reports.allSatisfy { $0.verdict == .unable })
        #expect(reports.first?.findings.first?.message.contains("/nonexistent/vmlinuz cannot be read") == true)
    }
}
