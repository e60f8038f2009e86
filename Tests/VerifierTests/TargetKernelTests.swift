import Foundation
import Kernel
import Linux
import Model
import TestSupport
import Testing

@testable import Verifier

/// Which kernel is verified for, and what is kept of it.
@Suite(.timeLimit(.minutes(5))) struct TargetKernelTests {
    /// A machine that runs a kernel with sched_ext, as far as the finder looks.
    private static func machine(
        _ folder: TemporaryFolder, types: [UInt8] = SmallTypes.withSchedExt, hasSchedExt: Bool = true,
        image: [UInt8]? = SmallTypes.image
    ) throws -> HostKernel {
        var host = HostKernel()
        host.release = "7.1.2-test"
        host.btf = try folder.write(types, to: "vmlinux.btf")
        host.schedExt = folder.path("sched_ext")
        host.boot = folder.path("boot")
        host.modules = folder.path("modules")
        host.versionFile = try folder.write(
            Array("Linux version 7.1.2-test (who@where) (cc 14) #3 SMP (2026-11-01)\n".utf8), to: "version")
        if hasSchedExt { try folder.write(Array("disabled\n".utf8), to: "sched_ext/state") }
        if let image { try folder.write(image, to: "boot/vmlinuz-7.1.2-test") }
        return host
    }

    private static func finder(_ folder: TemporaryFolder, _ host: HostKernel) -> KernelFinder {
        var finder = KernelFinder(cache: folder.path("cache"))
        finder.host = host
        return finder
    }

    @Test func theRunningKernelIsTakenWithItsImage() async throws {
        let folder = try TemporaryFolder()
        let host = try Self.machine(folder)
        let target = try await Self.finder(folder, host).find(.automatic)
        #expect(target.release == "7.1.2-test")
        #expect(target.image == SandboxFiles.resolved(folder.path("boot/vmlinuz-7.1.2-test")))
        #expect(target.btf == SmallTypes.withSchedExt)
        #expect(target.btfDigest.count == 64 && target.imageDigest.count == 64)
        #expect(String(decoding: target.typesHeader, as: UTF8.self).contains("struct sched_ext_ops {"))
        // Named, it is the same kernel, and nothing is booted.
        let named = try await Self.finder(folder, host).find(.image(folder.path("boot/vmlinuz-7.1.2-test")))
        #expect(named == target)
    }

    @Test func anImageOfAnotherBuildIsNotTheRunningKernel() async throws {
        let folder = try TemporaryFolder()
        let other = SmallTypes.image(version: "7.1.2-test (who@where) #4 SMP (2026-11-09)")
        let target = try await Self.finder(folder, try Self.machine(folder, image: other)).find(.automatic)
        #expect(target.image == nil)
        #expect(target.release == "7.1.2-test")
    }

    @Test func withoutAnImageTheTypesAreEnough() async throws {
        let folder = try TemporaryFolder()
        let target = try await Self.finder(folder, try Self.machine(folder, image: nil)).find(.automatic)
        #expect(target.image == nil && target.imageDigest == "")
        #expect(!target.typesHeader.isEmpty)
    }

    @Test func withoutSchedExtItIsSaidWhatToDo() async throws {
        let folder = try TemporaryFolder()
        let finder = Self.finder(folder, try Self.machine(folder, hasSchedExt: false))
        await #expect { try await finder.find(.automatic) } throws: { error in
            let failure = error as? Failure
            return failure?.code == .kernelUnsupported && failure?.hint.contains("schedctl lab build") == true
        }
    }

    @Test func anImageThatIsNotThereIsNamed() async throws {
        let folder = try TemporaryFolder()
        let finder = Self.finder(folder, try Self.machine(folder))
        await #expect { try await finder.find(.image("/nonexistent/vmlinuz")) } throws: { error in
            (error as? Failure)?.code == .notFound && "\(error)".contains("/nonexistent/vmlinuz")
        }
    }

    /// What a trial once learnt of the lab's kernel is used without a boot.
    @Test func theLabsNewestKernelIsTakenFromTheCache() async throws {
        let folder = try TemporaryFolder()
        for (name, release) in [("image-a-6.13", "6.13.9-a"), ("image-b-7.0", "7.0.10-b"), ("image-c-7.0", "7.0.9-c")] {
            try folder.write(Array(name.utf8), to: "cache/lab/\(name)/vmlinuz")
            try folder.write(Array("key=1\nrelease=\(release)\nseconds=1\n".utf8), to: "cache/lab/\(name)/manifest")
        }
        try folder.write([1], to: "cache/lab/image-unfinished-9.9/vmlinuz")
        let finder = Self.finder(folder, try Self.machine(folder, hasSchedExt: false))
        let image = try #require(finder.labImage())
        #expect(image.hasSuffix("image-b-7.0/vmlinuz"))
        let store = TargetKernelStore(cache: finder.cache)
        let known = try store.remember(SmallTypes.withSchedExt, release: "7.0.10-b", buildID: "0badc0de")
        store.keep(known, ofImage: try store.digest(ofImage: image))
        let target = try await finder.find(.automatic)
        #expect(target.release == "7.0.10-b" && target.buildID == "0badc0de" && target.image == image)
        #expect(target.btf == SmallTypes.withSchedExt)
    }

    @Test func aChangedImageHasAnotherDigest() throws {
        let folder = try TemporaryFolder()
        let store = TargetKernelStore(cache: folder.path("cache"))
        let file = try folder.write([1, 2, 3], to: "vmlinuz")
        let first = try store.digest(ofImage: file)
        #expect(try store.digest(ofImage: file) == first)
        try FileManager.default.removeItem(atPath: file)
        try folder.write([1, 2, 4], to: "vmlinuz")
        #expect(try store.digest(ofImage: file) != first)
    }

    @Test func aCacheThatCannotBeWrittenOnlyCostsTime() async throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "cache")
        let target = try await Self.finder(folder, try Self.machine(folder)).find(.automatic)
        #expect(!target.typesHeader.isEmpty)
    }

    @Test func schedExtIsFoundByName() {
        #expect(TargetKernelStore.hasSchedExt(SmallTypes.withSchedExt))
        #expect(!TargetKernelStore.hasSchedExt(SmallTypes.types(named: "sched_ext_opsy")))
        #expect(!TargetKernelStore.hasSchedExt([]))
        #expect(!TargetKernelStore.hasSchedExt([UInt8](repeating: 0xff, count: 64)))
    }

    @Test func theHeaderIsTheSameEveryTime() throws {
        let header = try TypesHeader.make(btf: SmallTypes.withSchedExt)
        #expect(try TypesHeader.make(btf: SmallTypes.withSchedExt) == header)
        let text = String(decoding: header, as: UTF8.self)
        #expect(text.hasPrefix("#ifndef __VMLINUX_H__\n"))
        #expect(text.contains("apply_to = record"))
        #expect(text.contains("struct sched_ext_ops {\n\tint timeout_ms;\n};"))
    }

    /// On a machine whose kernel has BTF: the whole of a kernel's types, in the form that a compiler takes.
    @Test(.enabled(if: HostFile.isReadable(HostProbe.btf))) func aWholeKernelIsWritten() async throws {
        let types = try TextFile.readBytes(HostProbe.btf, limit: TargetKernelStore.maxTypes)
        let header = try TypesHeader.make(btf: types)
        #expect(TypesHeader.isWhole(header))
        #expect(!String(decoding: header, as: UTF8.self).contains("()"))
        let source = Compiling.scheduler("int f(struct task_struct *p) { return p->pid; }")
        let result = try await Compiling.stage().run(source: source, name: "x.bpf.c", typesHeader: header)
        #expect(result.report.verdict == .passed, "\(result.report.log)")
    }

    @Test func typesThatAreNoneAreRefused() {
        for bytes in [[], [1, 2, 3], Array(SmallTypes.withSchedExt.dropLast(9))] as [[UInt8]] {
            #expect(throws: Failure.self) { try TypesHeader.make(btf: bytes) }
        }
        // Every byte changed in turn: refused or written, and no crash.
        for index in SmallTypes.withSchedExt.indices {
            var bytes = SmallTypes.withSchedExt
            bytes[index] ^= 0x5a
            let made = try? TypesHeader.make(btf: bytes)
            #expect(made == nil || made?.isEmpty == false)
        }
    }
}

/// BTF with `int` and one structure, and the head of a bzImage.
enum SmallTypes {
    static let withSchedExt = types(named: "sched_ext_ops")
    static let image = image(version: "7.1.2-test (who@where) #3 SMP (2026-11-01)")

    static func types(named name: String) -> [UInt8] {
        func words(_ words: [UInt32]) -> [UInt8] {
            words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        }
        let strings = Array("\0int\0\(name)\0timeout_ms\0".utf8)
        let member = UInt32(1 + 4 + name.utf8.count + 1)
        let types = words([
            // int: BTF_KIND_INT, 4 bytes, signed, 32 bits
            1, 1 << 24, 4, 1 << 24 | 32,
            // struct of one member, 4 bytes
            5, 4 << 24 | 1, 4, member, 1, 0,
        ])
        let header = words([0x0001_eb9f, 24, 0, UInt32(types.count), UInt32(types.count), UInt32(strings.count)])
        return header + types + strings
    }

    static func image(version: String) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 0x400)
        bytes.replaceSubrange(0x202..<0x206, with: "HdrS".utf8)
        bytes[0x20e] = 0x00
        bytes[0x20f] = 0x01
        return Array(bytes[..<0x300]) + Array(version.utf8) + [0]
    }
}
