import Foundation
import Model
import TestSupport
import Testing

@testable import Embedding

/// Files that are not what they should be.
@Suite struct HostileFileTests {
    private static func read(_ bytes: [UInt8]) throws -> Safetensors {
        let folder = try TemporaryFolder()
        return try Safetensors(try MappedFile(try folder.write(bytes, to: "model"), limit: 1 << 24))
    }

    @Test func aRightFileIsRead() throws {
        let header = TensorFile.header()
        let tensors = try Self.read(TensorFile.bytes(header: header, data: TensorFile.data))
        #expect(try tensors.tensor("t", 2, 3) == (8 + header.utf8.count) / 4)
        #expect(throws: Failure.self) { try tensors.tensor("t", 3, 2) }
        #expect(throws: Failure.self) { try tensors.tensor("other", 2, 3) }
    }

    @Test(arguments: [
        ("shape", "[2,4]"), ("shape", "[-2,-3]"), ("shape", "[4611686018427387904,4]"), ("shape", "[1e99]"),
        ("shape", "[1,1,1,1,1,1,1,6,1]"), ("offsets", "[0,28]"), ("offsets", "[-4,20]"), ("offsets", "[24,0]"),
        ("offsets", "[2,26]"), ("offsets", "[0]"), ("offsets", "[0,24,48]"), ("offsets", "[0,9223372036854775807]"),
        ("offsets", "[0,18446744073709551615]"), ("offsets", "null"), ("shape", "\"2,3\""),
    ])
    func aWrongHeaderIsRefused(_ key: String, _ value: String) throws {
        let header =
            key == "shape" ? TensorFile.header(shape: value) : TensorFile.header(offsets: value)
        let failure = #expect(throws: Failure.self) {
            try Self.read(TensorFile.bytes(header: header, data: TensorFile.data))
        }
        #expect(failure?.code == .malformedObject)
    }

    @Test(arguments: [0, 1, 7, 1 << 20, 1 << 32, UInt64(Int64.max), UInt64.max, UInt64.max - 7])
    func anImplausibleLengthOfTheHeaderIsRefused(_ length: UInt64) throws {
        let bytes = TensorFile.bytes(header: TensorFile.header(), data: TensorFile.data, length: length)
        let failure = #expect(throws: Failure.self) { try Self.read(bytes) }
        #expect(failure?.code == .malformedObject)
    }

    @Test func dataThatIsNotAlignedIsRefused() throws {
        let failure = #expect(throws: Failure.self) {
            try Self.read(TensorFile.bytes(header: TensorFile.header() + " ", data: TensorFile.data))
        }
        #expect(failure?.message.contains("aligned") == true)
    }

    @Test func everyCutIsRefused() throws {
        let bytes = TensorFile.bytes(header: TensorFile.header(), data: TensorFile.data)
        for length in 1..<bytes.count {
            #expect(throws: Failure.self, "cut to \(length)") { try Self.read(Array(bytes.prefix(length))) }
        }
    }

    /// Whatever a few changed bytes make of the file, it is refused or its tensors lie in it.
    @Test(arguments: [UInt64(1), 2, 3, 4]) func changedBytesLeadNowhereElse(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let good = TensorFile.bytes(header: TensorFile.header(), data: TensorFile.data)
        var refused = 0
        for _ in 0..<500 {
            var bytes = good
            for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = random.bytes(1)[0] }
            guard let tensors = try? Self.read(bytes) else {
                refused += 1
                continue
            }
            if let start = try? tensors.tensor("t", 2, 3) { #expect(start >= 2 && (start + 6) * 4 <= bytes.count) }
        }
        #expect(refused > 100)
        Attacks.report("model-files", tried: 500, refused: 500)
    }

    @Test func deepHeadersAreRefused() throws {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let header = TensorFile.header(shape: deep)
        #expect(throws: Failure.self) { try Self.read(TensorFile.bytes(header: header, data: TensorFile.data)) }
    }

    @Test func onlyPlainFilesOfBelievableOwnersAreMapped() throws {
        let folder = try TemporaryFolder()
        let good = try folder.write("content", to: "good")
        #expect(try MappedFile(good, limit: 7).count == 7)
        try folder.makeFolder("folder")
        try folder.write("", to: "empty")
        mkfifo(folder.path("pipe"), 0o600)
        try folder.write("content", to: "open")
        try folder.setMode(0o666, of: "open")
        for (name, limit) in [("folder", 100), ("empty", 100), ("pipe", 100), ("open", 100), ("good", 6)] {
            let failure = #expect(throws: Failure.self, "\(name)") { try MappedFile(folder.path(name), limit: limit) }
            #expect(failure?.code == .storage)
        }
        let failure = #expect(throws: Failure.self) { try MappedFile(folder.path("nothing"), limit: 100) }
        #expect(failure?.code == .notFound)
    }

    @Test(.enabled(if: Checkout.isRoot, "needs root to give a file away")) func anothersFileIsNotMapped() throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("theirs")
        try folder.write("content", to: "theirs/file")
        try folder.give("theirs", to: 65534, 65534)
        #expect(throws: Failure.self) { try MappedFile(folder.path("theirs/file"), limit: 100) }
    }
}
