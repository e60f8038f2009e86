import Foundation
import Linux
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct DurableFileTests {
    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test(arguments: [0o600, 0o640, 0o644, 0o666]) func whatIsWrittenIsRead(_ mode: Int) throws {
        let folder = try TemporaryFolder()
        var random = Seeded(UInt64(mode))
        for size in [0, 1, 4095, 4096, 4097, 100_000] {
            let bytes = random.bytes(size)
            try DurableFile.write(folder.path("file"), bytes, mode: UInt32(mode))
            #expect(try DurableFile.read(folder.path("file"), limit: size) == bytes)
            #expect(try self.mode(folder.path("file")) == mode)
            #expect(folder.names() == ["file"])
        }
    }

    @Test func aLongerFileIsRefused() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("12345", to: "file")
        let error = #expect(throws: SystemError.self) { try DurableFile.read(path, limit: 4) }
        #expect(error?.code == EFBIG)
    }

    @Test func aLinkIsNotRead() throws {
        let folder = try TemporaryFolder()
        try folder.write("secret", to: "secret")
        try folder.makeLink("link", to: folder.path("secret"))
        let error = #expect(throws: SystemError.self) { try DurableFile.read(folder.path("link"), limit: 100) }
        #expect(error?.code == ELOOP)
    }

    @Test func aLinkIsReplacedAndNotFollowed() throws {
        let folder = try TemporaryFolder()
        try folder.write("untouched", to: "target")
        try folder.makeLink("link", to: folder.path("target"))
        try DurableFile.write(folder.path("link"), Array("new".utf8))
        #expect(folder.text("target") == "untouched")
        #expect(try DurableFile.read(folder.path("link"), limit: 100) == Array("new".utf8))
    }

    @Test(arguments: ["/dev/null", "/dev", "/proc/self/fd"]) func onlyRegularFilesAreRead(_ path: String) {
        #expect(throws: SystemError.self) { try DurableFile.read(path, limit: 100) }
    }

    @Test func aFifoDoesNotBlock() throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo(folder.path("fifo"), 0o600) == 0)
        let error = #expect(throws: SystemError.self) { try DurableFile.read(folder.path("fifo"), limit: 100) }
        #expect(error?.code == EINVAL)
    }

    @Test func aFailedRenameLeavesNothingBehind() throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("target")
        try folder.write("x", to: "target/inside")
        #expect(throws: SystemError.self) { try DurableFile.write(folder.path("target"), [1, 2, 3]) }
        #expect(folder.names() == ["target"])
        #expect(folder.text("target/inside") == "x")
    }

    @Test func aMissingFolderIsNamed() {
        let error = #expect(throws: SystemError.self) { try DurableFile.write("/nonexistent/file", [1]) }
        #expect(error?.code == ENOENT)
        #expect(error?.description.contains("/nonexistent/") == true)
    }

    /// A limit on the size of files makes every write fail in the middle; the child says what it then finds.
    @Test func aFailedWriteLeavesTheOldFile() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            try DurableFile.write(folder.path("file"), Array("old".utf8))
            let log = try AppendFile(folder.path("log"), mode: 0o600)
            try log.append([UInt8](repeating: 1, count: 3000))
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
            let error = #expect(throws: SystemError.self) {
                try DurableFile.write(folder.path("file"), [UInt8](repeating: 7, count: 10_000))
            }
            #expect(error?.code == EFBIG)
            #expect(folder.text("file") == "old")
            #expect(folder.names() == ["file", "log"])
            // 1096 of these 2000 bytes fit; they are cut off again.
            #expect(throws: SystemError.self) { try log.append([UInt8](repeating: 2, count: 2000)) }
            #expect(try log.size() == 3000)
            try log.append([3])
            #expect(folder.bytes("log") == [UInt8](repeating: 1, count: 3000) + [3])
        }
    }

    @Test func leftoversAreRemovedAndNothingElse() throws {
        let folder = try TemporaryFolder()
        for name in [".key.1a.new", ".key.ffff.new", ".other.1.new", "key", "key.new", ".key.1a"] {
            try folder.write("x", to: name)
        }
        try DurableFile.removeLeftovers(of: folder.path("key"))
        #expect(folder.names() == [".key.1a", ".other.1.new", "key", "key.new"])
    }

    @Test func renameAndRemove() throws {
        let folder = try TemporaryFolder()
        try folder.write("a", to: "a")
        try DurableFile.rename(folder.path("a"), to: folder.path("b"))
        #expect(folder.names() == ["b"])
        try DurableFile.remove(folder.path("b"))
        #expect(folder.names() == [])
        #expect(throws: SystemError.self) { try DurableFile.remove(folder.path("b")) }
        #expect(throws: SystemError.self) { try DurableFile.rename(folder.path("b"), to: folder.path("c")) }
    }

    @Test func nothingStaysOpen() throws {
        let folder = try TemporaryFolder()
        for _ in 0..<20 {
            try DurableFile.write(folder.path("file"), [1])
            _ = try DurableFile.read(folder.path("file"), limit: 10)
            try AppendFile(folder.path("file"), mode: 0o600).append([1])
        }
        #expect(ProcessFacts.ownDescriptors(on: folder.path("file")) == 0)
    }

    @Test func oneHoldsTheLockOfAFolder() throws {
        let folder = try TemporaryFolder()
        do {
            let lock = try FolderLock(folder.path)
            let error = #expect(throws: SystemError.self) { _ = try FolderLock(folder.path) }
            #expect(error?.code == EWOULDBLOCK)
            withExtendedLifetime(lock) {}
        }
        _ = try FolderLock(folder.path)
    }
}

@Suite(.timeLimit(.minutes(10))) struct AppendFileTests {
    @Test(arguments: [1, 2, 3] as [UInt64]) func appendsAddUp(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let folder = try TemporaryFolder()
        var all: [UInt8] = []
        for _ in 0..<10 {
            // Opened again and again: it goes on where it ended.
            let file = try AppendFile(folder.path("log"), mode: 0o640)
            for _ in 0..<random.below(20) {
                let bytes = random.bytes(random.below(3000))
                try file.append(bytes)
                all += bytes
            }
            try file.sync()
            #expect(try file.size() == all.count)
            if random.chance(3) {
                all.removeLast(all.count - random.below(all.count + 1))
                try file.truncate(to: all.count)
            }
        }
        #expect(folder.bytes("log") == all)
        let file = try AppendFile(folder.path("log"), mode: 0o640)
        let from = all.count / 2
        #expect(try file.read(at: from, limit: 100) == Array(all[from...].prefix(100)))
    }

    @Test func theModeIsExactAndOnlyForANewFile() throws {
        let folder = try TemporaryFolder()
        _ = try AppendFile(folder.path("log"), mode: 0o666)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path("log"))
        #expect(attributes[.posixPermissions] as? Int == 0o666)
        try folder.setMode(0o600, of: "log")
        _ = try AppendFile(folder.path("log"), mode: 0o666)
        let again = try FileManager.default.attributesOfItem(atPath: folder.path("log"))
        #expect(again[.posixPermissions] as? Int == 0o600)
    }

    @Test func linksAreRefused() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "target")
        try folder.makeLink("link", to: folder.path("target"))
        try folder.makeLink("dangling", to: folder.path("nowhere"))
        for name in ["link", "dangling"] {
            let error = #expect(throws: SystemError.self) { _ = try AppendFile(folder.path(name), mode: 0o600) }
            #expect(error?.code == ELOOP)
        }
        #expect(!folder.exists("nowhere"))
    }

    @Test func aFullDeviceIsSaid() throws {
        let full = try AppendFile("/dev/full", mode: 0o600)
        let error = #expect(throws: SystemError.self) { try full.append([1]) }
        #expect(error?.code == ENOSPC)
    }
}
