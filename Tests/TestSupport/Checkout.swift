import Foundation
import Linux

/// Something that a test needs of its surroundings and did not find.
package struct Lacking: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// The repository that these tests were built from, and what was built from it.
package enum Checkout {
    package static let root: String = {
        var parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// A program of this build: it lies beside the tests' own.
    package static func program(_ name: String) throws -> String {
        let own = HostFile.target(ofLink: "/proc/self/exe") ?? ""
        let path = (own as NSString).deletingLastPathComponent + "/" + name
        guard FileManager.default.isExecutableFile(atPath: path) else { throw Lacking("\(path) was not built") }
        return path
    }

    /// Those of bpf/ that have a description, in the order of their names.
    package static let schedulers: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root + "/bpf")) ?? []
        return names.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(".toml".count)) }.sorted()
    }()
    package static let fixtures = ["cids", "convention", "ejects", "foreign", "refused", "stall"]

    /// The folder of compiled schedulers, and `fixtures` in it. Compiles them where one is missing.
    package static func objects() async throws -> String { try await compiled.value }

    private static let compiled = Task<String, any Error> {
        let folder = root + "/.build/bpf"
        let wanted = schedulers.map { "\(folder)/\($0).bpf.o" } + fixtures.map { "\(folder)/fixtures/\($0).bpf.o" }
        if wanted.allSatisfy(FileManager.default.fileExists(atPath:)) { return folder }
        let built = try await Command.run(root + "/scripts/build-bpf", ["--fixtures"])
        guard built.status == 0, wanted.allSatisfy(FileManager.default.fileExists(atPath:)) else {
            throw Lacking("the schedulers could not be compiled by scripts/build-bpf --fixtures:\n\(built.errors)")
        }
        return folder
    }

    package static func object(_ name: String) async throws -> [UInt8] {
        let folder = try await objects()
        let path = schedulers.contains(name) ? "\(folder)/\(name).bpf.o" : "\(folder)/fixtures/\(name).bpf.o"
        guard let data = FileManager.default.contents(atPath: path) else { throw Lacking("\(path) is missing") }
        return [UInt8](data)
    }

    /// A folder as scripts/install makes it: descriptions and objects side by side.
    package static func install(into folder: TemporaryFolder, as name: String = "schedulers") async throws {
        let built = try await objects()
        try folder.makeFolder(name)
        for scheduler in schedulers {
            try folder.copy("\(root)/bpf/\(scheduler).toml", to: "\(name)/\(scheduler).toml")
            try folder.copy("\(built)/\(scheduler).bpf.o", to: "\(name)/\(scheduler).bpf.o")
        }
    }

    package static let isRoot = getuid() == 0
}

extension Checkout {
    /// Who runs these tests.
    package static let userID: UInt32 = getuid()
    package static let groupID: UInt32 = getgid()
    package static let processID: Int32 = getpid()
}
