import Model
import Repository
import TestSupport
import Testing

/// Objects by their SHA-256.
@Suite struct ArtifactStoreTests {
    /// FIPS 180-4 and NIST's examples.
    static let known: [([UInt8], String)] = [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            [UInt8](repeating: 0x61, count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test(arguments: known) func theDigestIsSHA256(bytes: [UInt8], digest: String) throws {
        #expect(ArtifactStore.digest(bytes) == digest)
        let folder = try TemporaryFolder()
        let store = try ArtifactStore(folder: folder.path("artifacts"))
        #expect(try store.put(bytes) == digest)
        #expect(try store.get(digest) == bytes)
        #expect(folder.names("artifacts").count == 1)
    }

    @Test func storingTwiceIsStoringOnce() throws {
        let folder = try TemporaryFolder()
        let store = try ArtifactStore(folder: folder.path)
        let first = try store.put([1, 2, 3])
        #expect(try store.put([1, 2, 3]) == first)
        #expect(folder.names().count == 1)
        #expect(try store.put([1, 2, 4]) != first)
        #expect(folder.names().count == 2)
        // Nothing half-written lies beside them.
        #expect(folder.names().allSatisfy { $0.hasSuffix(".bpf.o") })
    }

    @Test func aChangeOnDiskIsNoticedAndHealedByTheNextPut() throws {
        let folder = try TemporaryFolder()
        let store = try ArtifactStore(folder: folder.path)
        let bytes = [UInt8](0..<100)
        let digest = try store.put(bytes)
        let name = try #require(folder.names().first)
        for damage in [bytes + [1], Array(bytes.dropLast()), [], bytes.map { $0 ^ 1 }] {
            try folder.write(damage, to: name)
            let failure = #expect(throws: Failure.self) { try store.get(digest) }
            #expect(failure?.code == .storage)
        }
        #expect(try store.put(bytes) == digest)
        #expect(try store.get(digest) == bytes)
    }

    @Test(arguments: [
        "", "abc", "../../../../etc/passwd", String(repeating: "g", count: 64), String(repeating: "a", count: 63),
        String(repeating: "a", count: 65), "/" + String(repeating: "a", count: 63), String(repeating: "é", count: 32),
        String(repeating: "\u{FF11}", count: 21) + "a",
    ])
    func whatIsNoDigestIsRefused(_ text: String) throws {
        let folder = try TemporaryFolder()
        let store = try ArtifactStore(folder: folder.path)
        let failure = #expect(throws: Failure.self) { try store.get(text) }
        #expect(failure?.code == .invalidArgument)
    }

    @Test func anUnknownDigestIsNotFound() throws {
        let folder = try TemporaryFolder()
        let failure = #expect(throws: Failure.self) {
            try ArtifactStore(folder: folder.path).get(String(repeating: "0", count: 64))
        }
        #expect(failure?.code == .notFound)
    }

    @Test func theOldestAreForgottenAndTheLastOneUsedIsNot() throws {
        let folder = try TemporaryFolder()
        let store = try ArtifactStore(folder: folder.path)
        var digests: [String] = []
        for number in 0..<300 { digests.append(try store.put(Array("\(number)".utf8))) }
        #expect(folder.names().count <= 260)
        #expect(try store.get(digests[299]) == Array("299".utf8))
        // One that is used again is young again.
        let oldest = try #require(digests.first { (try? store.get($0)) != nil })
        let bytes = try store.get(oldest)
        #expect(try store.put(bytes) == oldest)
        for number in 300..<400 { _ = try store.put(Array("\(number)".utf8)) }
        #expect(try store.get(oldest) == bytes)
    }

    @Test func aFolderThatCannotBeMadeIsSaid() throws {
        let folder = try TemporaryFolder()
        try folder.write("a file", to: "file")
        let failure = #expect(throws: Failure.self) { try ArtifactStore(folder: folder.path("file/artifacts")) }
        #expect(failure?.code == .storage)
        #expect(failure?.hint.isEmpty == false)
    }

    @Test func aFolderThatIsGoneIsSaid() throws {
        let folder = try TemporaryFolder()
        let store = try ArtifactStore(folder: folder.path("artifacts"))
        try folder.remove("artifacts")
        let failure = #expect(throws: Failure.self) { try store.put([1]) }
        #expect(failure?.code == .storage)
    }
}
