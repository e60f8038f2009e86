import Testing

@testable import Trials

@Suite(.timeLimit(.minutes(5)))
struct CPIOArchiveTests {
    /// What an archive holds, read as the kernel reads it.
    struct Entry: Hashable {
        var name: String
        var mode: UInt32
        var size: Int
        var content: [UInt8]
        var device: [UInt32]
    }

    static func entries(_ bytes: [UInt8]) throws -> [Entry] {
        var entries: [Entry] = []
        var offset = 0
        while true {
            try #require(bytes[offset..<offset + 6].elementsEqual("070701".utf8))
            let numbers = try (0..<13).map { index in
                let start = offset + 6 + index * 8
                return try #require(UInt32(String(decoding: bytes[start..<start + 8], as: UTF8.self), radix: 16))
            }
            let nameStart = offset + 110
            let name = String(decoding: bytes[nameStart..<nameStart + Int(numbers[11]) - 1], as: UTF8.self)
            try #require(bytes[nameStart + Int(numbers[11]) - 1] == 0)
            let start = (nameStart + Int(numbers[11]) + 3) & ~3
            let size = Int(numbers[6])
            entries.append(
                Entry(
                    name: name, mode: numbers[1], size: size, content: Array(bytes[start..<start + size]),
                    device: Array(numbers[9...10])))
            offset = (start + size + 3) & ~3
            if name == "TRAILER!!!" {
                #expect(offset == bytes.count)
                return entries
            }
        }
    }

    @Test func filesFoldersLinksAndDevicesAreThere() throws {
        var archive = CPIOArchive()
        archive.add(file: "/usr/lib/a", mode: 0o755, content: [1, 2, 3, 4, 5])
        archive.add(file: "usr/lib/b", mode: 0o644, content: [])
        archive.add(folder: "proc")
        archive.add(link: "lib", to: "usr/lib")
        archive.add(device: "dev/console", major: 5, minor: 1)
        archive.finish()
        let entries = try Self.entries(archive.bytes)
        #expect(
            entries.map(\.name) == [
                "usr", "usr/lib", "usr/lib/a", "usr/lib/b", "proc", "lib", "dev", "dev/console", "TRAILER!!!",
            ])
        #expect(entries[0].mode == 0o040755)
        #expect(entries[2].mode == 0o100755)
        #expect(entries[2].content == [1, 2, 3, 4, 5])
        #expect(entries[3].mode == 0o100644)
        #expect(entries[5].mode == 0o120777)
        #expect(entries[5].content == Array("usr/lib".utf8))
        #expect(entries[7].mode == 0o020600)
        #expect(entries[7].device == [5, 1])
    }

    @Test(arguments: 0..<9) func everythingIsPadded(_ size: Int) throws {
        var archive = CPIOArchive()
        let content = (0..<size).map { UInt8($0) }
        archive.add(file: String(repeating: "n", count: size + 1), mode: 0o600, content: content)
        archive.finish()
        let entries = try Self.entries(archive.bytes)
        #expect(entries.first?.content == content)
        #expect(archive.bytes.count.isMultiple(of: 4))
    }
}
