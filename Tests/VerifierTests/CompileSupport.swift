import Foundation
import Linux
import TestSupport

@testable import Verifier

/// What the tests of the compile stage share.
enum Compiling {
    private static let found = Task<CompileStage, any Error> {
        CompileStage(
            toolchain: try await .locate(),
            headers: try CompileHeaders(
                schedcp: "\(Checkout.root)/bpf/include", primitives: "\(Checkout.root)/bpf/primitives"),
            sandbox: try await .find())
    }

    /// With little of everything, so that what runs away does not run far.
    static func stage(seconds: Int = 20, megabytes: Int = 1024) async throws -> CompileStage {
        let found = try await found.value
        var limits = VerificationLimits()
        limits.compileSeconds = seconds
        limits.compileMemoryBytes = megabytes << 20
        return CompileStage(
            toolchain: found.toolchain, headers: found.headers, sandbox: found.sandbox, limits: limits)
    }

    /// With a script in the place of clang. It has the shell's own commands only: the sandbox lets nothing fork.
    static func stage(fake script: String, in folder: TemporaryFolder, seconds: Int = 30) async throws -> CompileStage {
        let real = try await stage(seconds: seconds)
        let written = try folder.write(Array("#!/bin/sh\n\(script)\n".utf8), to: "clang.sh")
        let path = folder.path("clang")
        // By another process: what this one has open for writing, its children of other tests have too, and the kernel runs
        // no file that somebody writes to.
        let copied = try await Command.run("/usr/bin/install", ["-m", "755", written, path])
        guard copied.status == 0 else { throw Lacking("the script could not be copied: \(copied.errors)") }
        var toolchain = real.toolchain
        toolchain.clang = path
        toolchain.interpreters = ["/bin/sh"]
        return CompileStage(
            toolchain: toolchain, headers: real.headers, sandbox: real.sandbox, limits: real.limits)
    }

    /// Enough of `vmlinux.h` for a source that includes it.
    static let fewTypes = Array(
        """
        #ifndef __VMLINUX_H__
        #define __VMLINUX_H__
        typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned int __u32;
        typedef unsigned long long __u64; typedef __u64 u64; typedef __u32 u32; typedef int __s32;
        #endif

        """.utf8)

    /// A source that compiles, with this in it.
    static func scheduler(_ text: String) -> [UInt8] {
        Array(
            "#include \"vmlinux.h\"\n\(text)\nchar _license[] __attribute__((section(\"license\"))) = \"GPL\";\n".utf8)
    }

    /// The `vmlinux.h` that scripts/build-bpf compiles against.
    static func kernelTypes() async throws -> [UInt8] {
        _ = try await Checkout.objects()
        return try TextFile.readBytes(VerifierConfiguration.standardCache + "/vmlinux/vmlinux.h", limit: 32 << 20)
    }
}
