import Foundation
import Linux
import TestSupport
import Testing

/// Files by name in a folder that others may write to.
@Suite(.timeLimit(.minutes(10))) struct OpenFolderTests {
    private let temporary: TemporaryFolder

    init() throws {
        temporary = try TemporaryFolder()
        try temporary.write("secret", to: "outside/file")
        try temporary.makeFolder("in")
    }

    private func code(_ body: () throws -> Void) -> Int32? {
        do {
            try body()
            return nil
        } catch { return (error as? SystemError)?.code }
    }

    @Test func whatIsWrittenIsReadAndReplaced() throws {
        let folder = try OpenFolder(temporary.path("in"))
        let before = (try folder.isEmpty(), try folder.size("a"))
        #expect(before.0 && before.1 == nil)
        for bytes in [[1, 2, 3], [], [UInt8](repeating: 7, count: 100_000)] {
            try folder.write("a", bytes)
            let (read, size) = (try folder.read("a", limit: 100_000), try folder.size("a"))
            #expect(read == bytes && size == bytes.count)
        }
        #expect(temporary.names("in") == ["a"])
        #expect(code { _ = try folder.read("a", limit: 99_999) } == EFBIG)
        let isEmpty = try folder.isEmpty()
        #expect(!isEmpty)
        let made = try folder.makeFolder("sub")
        try made.write("b", [1])
        let read = try folder.makeFolder("sub").read("b", limit: 1)
        #expect(read == [1])
        let isNew = try OpenFolder.making(temporary.path("x/y/z")).isEmpty()
        #expect(isNew)
    }

    @Test(arguments: [
        "", ".", "..", "../outside/file", "a/b", "/etc/passwd", "a\0b", String(repeating: "x", count: 256),
    ])
    func aNameThatIsAPathIsRefused(_ name: String) throws {
        let folder = try OpenFolder(temporary.path("in"))
        #expect(code { _ = try folder.read(name, limit: 100) } == EINVAL)
        #expect(code { _ = try folder.size(name) } == EINVAL)
        #expect(code { try folder.write(name, [1]) } == EINVAL)
        #expect(code { _ = try folder.folder(name) } == EINVAL)
        #expect(code { _ = try folder.makeFolder(name) } == EINVAL)
        #expect(temporary.names("in").isEmpty)
    }

    @Test func linksLeadNowhere() throws {
        try temporary.makeLink("in/file", to: temporary.path("outside/file"))
        try temporary.makeLink("in/folder", to: temporary.path("outside"))
        let folder = try OpenFolder(temporary.path("in"))
        #expect(code { _ = try folder.read("file", limit: 100) } == ELOOP)
        #expect(code { _ = try folder.folder("folder") } != nil)
        #expect(code { _ = try folder.makeFolder("folder") } != nil)
        try folder.write("file", [1])
        let read = try folder.read("file", limit: 1)
        #expect(read == [1])
        #expect(temporary.text("outside/file") == "secret")
        // Named by the caller, the folder itself may be reached through a link.
        let through = try OpenFolder(temporary.path("in/folder")).read("file", limit: 100)
        #expect(through == Array("secret".utf8))
    }

    @Test func whatIsNoFileIsRefused() throws {
        let folder = try OpenFolder(temporary.path("in"))
        try temporary.makeFolder("in/sub")
        #expect(code { _ = try folder.read("sub", limit: 100) } == EINVAL)
        #expect(code { _ = try folder.read("none", limit: 100) } == ENOENT)
        #expect(code { try folder.write("sub", [1]) } != nil)
        #expect(temporary.names("in") == ["sub"])
        #expect(code { _ = try OpenFolder(temporary.path("none")) } == ENOENT)
        #expect(code { _ = try OpenFolder(temporary.path("outside/file")) } == ENOTDIR)
    }
}
