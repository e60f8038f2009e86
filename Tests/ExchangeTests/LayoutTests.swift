import Exchange
import Foundation
import Model
import RegistrySupport
import TestSupport
import Testing

/// Layouts on disk: good ones, and every kind of damaged one.
@Suite(.timeLimit(.minutes(10))) struct LayoutTests {
    private let folder: TemporaryFolder
    private let first: EntryArtifact

    init() throws {
        folder = try TemporaryFolder()
        first = try EntryArtifact(try SampleEntry("fifo@1.0.0").travelling())
        try LayoutFolder(writing: folder.path("layout")).add(first)
    }

    private var path: String { folder.path("layout") }

    private func blob(_ number: Int) -> String { "layout/blobs/sha256/\(first.blobs[number].descriptor.digest.hex)" }

    private func all() throws(Failure) -> [TravellingEntry] {
        let layout = try LayoutFolder(reading: path)
        return try layout.entries().map { one throws(Failure) in try layout.read(one) }
    }

    private func refusal() -> Failure? {
        do throws(Failure) {
            _ = try all()
            return nil
        } catch { return error }
    }

    private func change(_ name: String, _ old: String, _ new: String) throws {
        try folder.write(try ArtifactTests.replaced(folder.bytes(name), old, new), to: name)
    }

    @Test func whatIsWrittenIsRead() throws {
        #expect(folder.text("layout/oci-layout") == #"{"imageLayoutVersion":"1.0.0"}"#)
        #expect(folder.names("layout") == ["blobs", "index.json", "oci-layout"])
        #expect(folder.names("layout/blobs/sha256").count == first.blobs.count + 1)
        for name in folder.names("layout/blobs/sha256") {
            #expect(Digest(of: folder.bytes("layout/blobs/sha256/" + name)).hex == name)
        }
        #expect(try all() == [first.entry])
    }

    /// In any order, and again: the same bytes in every file.
    @Test func theSameEntriesGiveTheSameFolder() throws {
        let others = try ["vtime@2.0.0", "fifo@1.1.0"].map { try EntryArtifact(try SampleEntry($0).travelling()) }
        for (name, order) in [("a", [first] + others), ("b", others.reversed() + [first, first])] {
            let layout = try LayoutFolder(writing: folder.path(name + "/deep/er"))
            for one in order { try layout.add(one) }
        }
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path("a")).sorted()
        #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path("b")).sorted() == names)
        for name in names { #expect(folder.bytes("a/" + name) == folder.bytes("b/" + name), "\(name)") }
        let layout = try LayoutFolder(reading: folder.path("a/deep/er"))
        let keys = try layout.entries().map(\.key.description)
        #expect(keys == ["fifo@1.0.0", "fifo@1.1.0", "vtime@2.0.0"])
        let select = { (names: [String]) in try LayoutEntry.select(names, of: layout.entries()).map(\.key.description) }
        #expect(try select([]) == keys)
        #expect(try select(["fifo"]) == ["fifo@1.1.0"])
        #expect(try select(["vtime", "fifo@1.0.0"]) == ["fifo@1.0.0", "vtime@2.0.0"])
        #expect(throws: Failure.self) { try select(["fifo@3.0.0"]) }
        #expect(throws: Failure.self) { try select(["fif"]) }
    }

    @Test func aNewerExportTakesThePlaceOfTheOld() throws {
        let other = try EntryArtifact(try SampleEntry("fifo@1.0.0", attestations: 3).travelling())
        try LayoutFolder(writing: path).add(other)
        #expect(try all() == [other.entry])
    }

    @Test func aFlippedBitAnywhereIsFound() throws {
        var random = Seeded(7)
        for name in folder.names("layout/blobs/sha256") {
            let file = "layout/blobs/sha256/" + name
            // The config is not fetched: nothing is in it.
            if name == first.blobs[0].descriptor.digest.hex { continue }
            let whole = folder.bytes(file)
            for _ in 0..<20 {
                var bytes = whole
                bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8))
                try folder.write(bytes, to: file)
                #expect(refusal()?.message.contains("damaged") == true)
            }
            try folder.write(whole.dropLast(1) + [], to: file)
            #expect(refusal()?.message.contains("announced") == true)
            try folder.write(whole + [0], to: file)
            #expect(refusal()?.message.contains("announced") == true)
            try folder.remove(file)
            #expect(refusal()?.message.contains("missing") == true)
            try folder.write(whole, to: file)
        }
        #expect(refusal() == nil)
        // What is damaged is put right by the next export.
        try folder.write([1, 2, 3], to: blob(1))
        try LayoutFolder(writing: path).add(first)
        #expect(refusal() == nil)
    }

    @Test func linksAndFoldersAreNotFollowed() throws {
        let elsewhere = try folder.write(first.blobs[1].bytes, to: "elsewhere")
        try folder.remove(blob(1))
        try folder.makeLink(blob(1), to: elsewhere)
        #expect(refusal()?.message.contains("Too many levels of symbolic links") == true)
        // Written, it is replaced, and what it led to stays as it is.
        try folder.write("mine", to: "elsewhere")
        try LayoutFolder(writing: path).add(first)
        #expect(refusal() == nil)
        #expect(folder.text("elsewhere") == "mine")
        try folder.remove(blob(1))
        try folder.makeFolder(blob(1))
        #expect(refusal()?.message.contains("not a regular file") == true)
        for name in ["layout/index.json", "layout/oci-layout"] {
            let bytes = folder.bytes(name)
            let place = try folder.write(bytes, to: "real")
            try folder.remove(name)
            try folder.makeLink(name, to: place)
            #expect(refusal()?.message.contains("symbolic link") == true)
            try folder.remove(name)
            try folder.write(bytes, to: name)
        }
        try FileManager.default.moveItem(atPath: folder.path("layout/blobs"), toPath: folder.path("blobs"))
        try folder.makeLink("layout/blobs", to: folder.path("blobs"))
        #expect(refusal() != nil)
        #expect(throws: Failure.self) { _ = try LayoutFolder(writing: path) }
    }

    @Test func aPipeIsNotWaitedFor() async throws {
        for name in ["layout/index.json", blob(1)] {
            try folder.remove(name)
            #expect(try await Command.run("/usr/bin/env", ["mkfifo", folder.path(name)]).status == 0)
            #expect(refusal()?.message.contains("not a regular file") == true)
            try folder.remove(name)
            try LayoutFolder(writing: path).add(first)
        }
    }

    static let indices: [(words: String, old: String, new: String)] = [
        ("cannot be read", "{", "["),
        ("not an index", "\"schemaVersion\":2", "\"schemaVersion\":3"),
        ("not a digest", "sha256:", "sha256:/"),
        ("not a digest", "sha256:", "sha256:../../../"),
        ("is not a version", "fifo@1.0.0", "fifo@1"),
        ("does not name a version", "fifo@1.0.0", "latest"),
        ("scheduler's name", "fifo@1.0.0", "../fifo@1.0.0"),
        ("what the layout names", "fifo@1.0.0", "fifo@1.0.1"),
        ("has no name", "image.ref.name", "image.other"),
        ("more than", "\"size\":", "\"size\":999"),
    ]

    @Test(arguments: indices) func aBadIndexIsRefused(_ words: String, _ old: String, _ new: String) throws {
        try change("layout/index.json", old, new)
        let failure = refusal()
        #expect(failure?.message.contains(words) == true, "\(String(describing: failure))")
    }

    @Test func anotherManifestWithTheSameNameIsRefused() throws {
        let other = try EntryArtifact(try SampleEntry("fifo@1.0.0", seed: 2).travelling())
        for blob in other.blobs {
            try folder.write(blob.bytes, to: "layout/blobs/sha256/" + blob.descriptor.digest.hex)
        }
        let text = folder.text("layout/index.json")
        let start = try #require(text.range(of: "\"manifests\":[")?.upperBound)
        let end = try #require(text.range(of: "]", options: .backwards)?.lowerBound)
        let one = String(text[start..<end])
        let two = one.replacingOccurrences(of: first.descriptor.digest.hex, with: other.descriptor.digest.hex)
        try change("layout/index.json", one, one + "," + two)
        #expect(refusal()?.message.contains("two manifests") == true)
        #expect(refusal()?.message.contains(other.descriptor.digest.hex) == true)
    }

    @Test func hugeCountsAreRefused() throws {
        let text = folder.text("layout/index.json")
        let start = try #require(text.range(of: "\"manifests\":[")?.upperBound)
        let end = try #require(text.range(of: "]", options: .backwards)?.lowerBound)
        let one = String(text[start..<end])
        for count in [1025, 1 << 16] {
            let many = Array(repeating: #"{"digest":"","mediaType":"x","size":0}"#, count: count).joined(separator: ",")
            try folder.write(text.replacingOccurrences(of: one, with: many), to: "layout/index.json")
            #expect(refusal()?.code == .tooMany)
        }
        try folder.write(String(repeating: "[", count: 100_000), to: "layout/index.json")
        #expect(refusal()?.code == .malformed)
    }

    @Test func artifactsOfOthersArePassedOverButNotAddedTo() throws {
        let other =
            #"{"artifactType":"application/vnd.example","digest":"sha512:x","mediaType":"application/vnd.oci.image.manifest.v1+json","size":2},"#
        try change("layout/index.json", "\"manifests\":[", "\"manifests\":[" + other)
        #expect(try all() == [first.entry])
        #expect(throws: Failure.self) { try LayoutFolder(writing: path).add(first) }
    }

    @Test func whatIsNoLayoutIsSaid() throws {
        for name in ["none", "layout/blobs", "layout/index.json"] {
            #expect(throws: Failure.self) { _ = try LayoutFolder(reading: folder.path(name)) }
        }
        try folder.write("x", to: "full/of/something")
        #expect(throws: Failure.self) { _ = try LayoutFolder(writing: folder.path("full")) }
        #expect(folder.names("full") == ["of"])
        try folder.write(#"{"imageLayoutVersion":"2.0.0"}"#, to: "layout/oci-layout")
        #expect(refusal()?.code == .unsupportedVersion)
    }

    /// Random damage of any file: the entry, whole, or a refusal.
    @Test(arguments: 1...4) func noDamageGivesAnotherEntry(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let files = try FileManager.default.subpathsOfDirectory(atPath: path).map { "layout/" + $0 }
            .filter { !folder.bytes($0).isEmpty }.sorted()
        for _ in 0..<100 {
            let file = files[random.below(files.count)]
            let whole = folder.bytes(file)
            var bytes = whole
            switch random.below(4) {
            case 0: bytes[random.below(bytes.count)] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes.removeLast(random.below(bytes.count))
            case 2: bytes += random.bytes(1 + random.below(9))
            default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: random.below(bytes.count))
            }
            try folder.write(bytes, to: file)
            // In the index it may be taken for something of others, which is passed over.
            if let read = try? all() {
                #expect(read == [first.entry] || read.isEmpty && file.hasSuffix("index.json"), "\(file)")
            }
            try folder.write(whole, to: file)
        }
        #expect(refusal() == nil)
    }
}
