import Foundation
import TestSupport
import Testing

/// Rules that hold of every source file, checked lexically.
@Suite struct SourceRuleTests {
    /// Where pointers and C are allowed.
    static let unsafeTargets: Set<String> = [
        "Linux", "Kernel", "Service", "Torture", "schedcp-guest", "schedcp-eject", "Embedding",
    ]

    /// Calls of other packages that are only named so, and why each is fine.
    static let exceptions: [String: String] = [
        // NIO lends the descriptor of a socket, which is asked for its peer.
        "Sources/Daemon/Server.swift": "withUnsafeTransportIfAvailable",
        // swift-subprocess lends the bytes that a child wrote, which are copied.
        "Sources/MicroVM/QEMU.swift": "withUnsafeBytes",
    ]

    @Test func pointersAndCAreInFourTargets() throws {
        let words =
            #/\b(Unsafe\w*Pointer|OpaquePointer|withUnsafe\w+|unsafeBitCast|unsafeDowncast|withMemoryRebound|Unmanaged)\b/#
        for file in try SourceFile.all(in: "Sources")
        where !file.isGenerated && !Self.unsafeTargets.contains(file.target) {
            let c = file.imports.intersection(["CLinux", "CSystemd", "CLibBPF", "Glibc"])
            #expect(c.isEmpty, "\(file.path) imports \(c.sorted())")
            for (number, line) in file.code {
                for match in line.matches(of: words) where Self.exceptions[file.path] != String(match.1) {
                    Issue.record("\(file.path):\(number) uses \(match.1)")
                }
            }
        }
    }

    @Test func everyUseOfAPointerSaysWhyItIsSafe() throws {
        let words = #/\b(Unsafe\w*Pointer|withUnsafe\w+|unsafeUninitializedCapacity|unsafeBitCast|withMemoryRebound)\b/#
        for file in try SourceFile.all(in: "Sources") where Self.unsafeTargets.contains(file.target) {
            for (number, line) in file.code where line.contains(words) {
                // Above it, or at the top of the closure that it opens.
                let near = file.lines[max(0, number - 7)..<min(file.lines.count, number + 4)]
                if !near.contains(where: { $0.contains("// SAFETY:") }) {
                    Issue.record("\(file.path):\(number) has no // SAFETY:")
                }
            }
        }
    }

    @Test func nothingIsForced() throws {
        let forced = #/(\btry!|\bas!|[\w\)\]]!(?![=\w])|\bfatalError\(|\bpreconditionFailure\()/#
        for file in try SourceFile.all(in: "Sources") where !file.isGenerated {
            for (number, line) in file.code where line.contains(forced) {
                Issue.record("\(file.path):\(number): \(line.trimmingCharacters(in: .whitespaces))")
            }
        }
    }

    @Test func nothingIsUncheckedAboutConcurrency() throws {
        let words = #/(@unchecked\s+Sendable|nonisolated\(unsafe\)|@preconcurrency\s+import)/#
        for file in try SourceFile.all(in: "Sources") where !file.isGenerated {
            for (number, line) in file.code where line.contains(words) {
                Issue.record("\(file.path):\(number): \(line)")
            }
        }
    }

    @Test func packageIsEnough() throws {
        for file in try SourceFile.all(in: "Sources") {
            // The words are looked for first: the expression alone takes seconds for all the lines.
            let lines = file.code.filter { $0.1.contains("public") || $0.1.contains("open") }
            for (number, line) in lines where line.contains(#/\b(public|open)\s+(?!\()\w/#) {
                Issue.record("\(file.path):\(number): \(line)")
            }
        }
    }

    @Test(arguments: ["Sources", "Tests"]) func noFileIsLongerThanFourHundredLines(_ folder: String) throws {
        for file in try SourceFile.all(in: folder) where !file.isGenerated {
            #expect(file.lines.count <= 401, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func everyTargetSaysWhatItIs() throws {
        let files = Dictionary(grouping: try SourceFile.all(in: "Sources"), by: \.target)
        for (target, files) in files {
            let says = files.contains { $0.lines.contains { $0.hasPrefix("// \(target): ") } }
            #expect(says, "no file of \(target) begins with '// \(target): …'")
        }
    }

    @Test func theShimsStaySmall() throws {
        // What has to happen between fork and exec, or in a signal's handler, cannot be Swift, and is no shim.
        let others = ["guest.c", "sandbox.c", "screen.c"]
        let shims = try SourceFile.all(in: "Sources/CLinux", ending: ".c")
            .filter { file in !others.contains { file.path.hasSuffix($0) } }
        #expect(shims.reduce(0) { $0 + $1.lines.count } < 200)
    }

    @Test(arguments: [("bpf", ".c"), ("bpf", ".h"), ("Tests/Fixtures/bpf", ".c")])
    func whatRunsInTheKernelIsGPL(_ folder: String, _ suffix: String) throws {
        for file in try SourceFile.all(in: folder, ending: suffix) {
            #expect(file.lines.first?.contains("SPDX-License-Identifier: GPL-2.0-only") == true, "\(file.path)")
        }
    }

    @Test(arguments: [".c", ".h"]) func theRestIsApache(_ suffix: String) throws {
        for file in try SourceFile.all(in: "Sources", ending: suffix) where file.lines.count > 10 {
            #expect(file.lines.first?.contains("SPDX-License-Identifier: Apache-2.0") == true, "\(file.path)")
        }
    }
}
