import Foundation
import Linux
import Model
import TestSupport
import Testing

/// Who closes what. Counted on a file of this test alone, because other tests open and close meanwhile.
@Suite struct DescriptorTests {
    @Test func oneOwnerClosesOnce() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("text", to: "file")
        func use() throws {
            let descriptor = try Descriptor.open(path)
            #expect(ProcessFacts.ownDescriptors(on: path) == 1)
            let second = try descriptor.duplicate()
            #expect(second.raw != descriptor.raw)
            #expect(ProcessFacts.ownDescriptors(on: path) == 2)
            #expect(fcntl(second.raw, F_GETFD) & FD_CLOEXEC != 0)
            #expect(fcntl(descriptor.raw, F_GETFD) & FD_CLOEXEC != 0)
        }
        try use()
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
    }

    @Test func releaseLeavesItOpen() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("text", to: "file")
        let raw = try Descriptor.open(path).release()
        #expect(ProcessFacts.ownDescriptors(on: path) == 1)
        #expect(close(raw) == 0)
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
    }

    @Test func sharedIsClosedByTheLast() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("text", to: "file")
        var holders: [SharedDescriptor] = [SharedDescriptor(try .open(path))]
        for _ in 0..<10 { holders.append(holders[0]) }
        while holders.count > 1 {
            holders.removeLast()
            #expect(ProcessFacts.ownDescriptors(on: path) == 1)
        }
        holders.removeAll()
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
    }

    @Test func aThrownErrorLeaksNothing() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([UInt8](repeating: 65, count: 1000), to: "file")
        for _ in 0..<50 {
            #expect(throws: SystemError.self) { try TextFile.read(path, limit: 999) }
            _ = try TextFile.read(path)
            _ = TextFile.firstLine(path)
        }
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
    }

    @Test func whatIsNotThereIsNamed() {
        let missing = #expect(throws: SystemError.self) { _ = try Descriptor.open("/nonexistent/file") }
        #expect(missing?.code == ENOENT)
        #expect(missing?.description.contains("/nonexistent/file") == true)
        #expect(#expect(throws: SystemError.self) { _ = try Descriptor.duplicating(-1) }?.code == EBADF)
    }

    @Test(arguments: [0, 1, 5, 9, 10, 11, 1000]) func readingFromAnOffsetUpToALimit(limit: Int) throws {
        let folder = try TemporaryFolder()
        let bytes = [UInt8](0..<10)
        let descriptor = try Descriptor.open(folder.write(bytes, to: "file"))
        for offset in 0...11 {
            #expect(
                try descriptor.read(at: off_t(offset), limit: limit) == Array(bytes.dropFirst(offset).prefix(limit)))
        }
    }
}

@Suite struct TextFileTests {
    @Test(arguments: [0, 1, 4095, 4096, 65_535, 65_536]) func upToTheLimit(size: Int) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([UInt8](repeating: 65, count: size), to: "file")
        #expect(try TextFile.read(path, limit: size).utf8.count == size)
        #expect(try TextFile.readBytes(path, limit: size + 1).count == size)
        guard size > 0 else { return }
        let failure = #expect(throws: SystemError.self) { try TextFile.read(path, limit: size - 1) }
        #expect(failure?.code == EFBIG)
    }

    @Test func whatNeverEndsIsCut() {
        #expect(
            #expect(throws: SystemError.self) { try TextFile.readBytes("/dev/zero", limit: 1 << 20) }?.code == EFBIG)
    }

    @Test(arguments: [[0xFF], [0x41, 0xC3], [0xED, 0xA0, 0x80]] as [[UInt8]]) func textIsUTF8(_ bytes: [UInt8]) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(bytes, to: "file")
        #expect(#expect(throws: SystemError.self) { try TextFile.read(path) }?.code == EILSEQ)
        #expect(try TextFile.readBytes(path, limit: 10) == bytes)
        #expect(TextFile.firstLine(path) == nil)
    }

    @Test(arguments: [("", ""), ("\n", ""), ("a", "a"), ("a\n", "a"), ("a\nb\n", "a"), (" a \n", " a ")])
    func theFirstLine(text: String, line: String) throws {
        let folder = try TemporaryFolder()
        #expect(TextFile.firstLine(try folder.write(text, to: "file")) == line)
    }

    @Test func aFolderIsNoFile() throws {
        #expect(throws: SystemError.self) { try TextFile.read("/tmp") }
        #expect(TextFile.firstLine("/nonexistent") == nil)
    }

    @Test func filesOfProcAreReadThoughTheySayTheyAreEmpty() throws {
        #expect(try TextFile.read("/proc/self/status").contains("Name:"))
        #expect(TextFile.firstLine("/proc/self/comm")?.isEmpty == false)
    }

    @Test func aFoldersNamesAreSortedAndBounded() throws {
        let folder = try TemporaryFolder()
        for name in ["b", "a", "c", ".hidden", "with space", "é"] { try folder.write("", to: name) }
        #expect(try Folder.names(folder.path) == [".hidden", "a", "b", "c", "with space", "é"])
        #expect(try Folder.names(folder.path, limit: 2).count == 2)
        #expect(#expect(throws: SystemError.self) { try Folder.names(folder.path("none")) }?.code == ENOENT)
        #expect(#expect(throws: SystemError.self) { try Folder.names(folder.path("a")) }?.code == ENOTDIR)
    }

    @Test func errorsAreWords() {
        #expect(SystemError("open x", code: ENOENT).description == "open x: No such file or directory")
        let failure = SystemError("open x", code: EACCES).asFailure(.storage, hint: "do")
        #expect(failure.code == .storage)
        #expect(failure.hint == "do")
        #expect(failure.message.contains("Permission denied"))
    }

    @Test func clocksGoOn() {
        let (first, second) = (Clock.monotonic(), Clock.monotonic())
        #expect(first > 0 && second >= first)
        // After 2020 and before 2100, in nanoseconds.
        #expect((1_577_836_800_000_000_000..<4_102_444_800_000_000_000).contains(Clock.realtime()))
    }
}
