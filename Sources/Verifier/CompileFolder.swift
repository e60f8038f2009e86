import FoundationEssentials
import Linux
import Model

/// The folder of one compilation: the source, its headers, and what the compiler makes. Gone when this value is.
final class CompileFolder: Sendable {
    let path: String
    /// Whom the compiler runs as; nil for this process's user.
    let user: UInt32?
    /// What the source is called here. Its own name where that is a plain one.
    let sourceName: String

    /// - Parameter reading: what the compiler has to reach; where another user cannot, it stays this user (without any
    ///   capability, behind the same walls).
    init(
        source: [UInt8], name: String, headers: CompileHeaders, typesHeader: [UInt8], reading: [String]
    ) throws(SystemError) {
        path = try HostFile.privateFolder("schedcp-compile")
        sourceName = Self.plain(name)
        let parent = path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        let isOpen = ([parent] + reading).allSatisfy(SandboxFiles.isOpenToEveryone)
        user = HostFile.isRoot && isOpen ? SandboxFiles.nobody : nil
        try SandboxFiles.create("\(path)/\(sourceName)", source)
        try SandboxFiles.makeFolder("\(path)/include")
        try SandboxFiles.create("\(path)/include/vmlinux.h", typesHeader)
        var made: Set<Substring> = []
        for (file, bytes) in headers.files {
            if let folder = file.split(separator: "/").first, made.insert(folder).inserted {
                try SandboxFiles.makeFolder("\(path)/include/\(folder)")
            }
            try SandboxFiles.create("\(path)/include/\(file)", bytes)
        }
        if let user { try SandboxFiles.give(path, to: user) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The last part of the name, of letters that need no care anywhere; it is in the object's line information.
    static func plain(_ name: String) -> String {
        let last = name.split(separator: "/").last ?? ""
        let isPlain = last.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "._-+".utf8.contains($0)
        }
        guard isPlain, last.utf8.count <= 128, last.hasSuffix(".c"), !last.hasPrefix("-"), !last.hasPrefix(".") else {
            return "candidate.bpf.c"
        }
        return String(last)
    }
}
