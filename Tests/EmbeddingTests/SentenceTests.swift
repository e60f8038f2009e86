import Model
import TestSupport
import Testing

@testable import Embedding

/// The whole model against vectors that the reference made.
@Suite struct SentenceTests {
    @Test(.enabled(if: RealModel.isThere, "needs the model: scripts/fetch-model"))
    func vectorsAreThoseOfTheReference() async throws {
        let model = try await RealModel.shared.value
        let rows: [Reference.Sentence] = try Reference.read("sentences.json")
        #expect(rows.count >= 5 && model.identity.dimensions == 384)
        let vectors = try await model.vectors(for: rows.map(\.text))
        for (row, vector) in zip(rows, vectors) {
            #expect(vector.dot(row.vector.normalised()) > 0.9999, "\(row.text.prefix(40))")
            let difference = zip(vector, row.vector).map { abs($0 - $1) }.max() ?? 1
            #expect(difference < 1e-4, "\(row.text.prefix(40)): \(difference)")
            #expect(abs(vector.dot(vector) - 1) < 1e-5)
        }
    }

    @Test(.enabled(if: RealModel.isThere, "needs the model: scripts/fetch-model"))
    func meaningIsNearMeaning() async throws {
        let model = try await RealModel.shared.value
        let asked = try await model.vector(for: "mouse and keyboard feel sluggish")
        let near = try await model.vector(for: "interactive programs respond slowly")
        let far = try await model.vector(for: "the harvest of apples in autumn")
        #expect(asked.dot(near) > asked.dot(far) + 0.2)
    }

    @Test(.enabled(if: RealModel.isThere, "needs the model: scripts/fetch-model"))
    func whatIsCancelledStops() async throws {
        let model = try await RealModel.shared.value
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await model.vectors(for: ["a", "b"])
        }
        task.cancel()
        let failure = await #expect(throws: Failure.self) { try await task.value }
        #expect(failure?.code == .cancelled)
    }

    @Test func aMissingModelSaysHowToGetIt() throws {
        let folder = try TemporaryFolder()
        let failure = #expect(throws: Failure.self) { try MiniLM(folder: folder.path) }
        #expect(failure?.code == .notFound && failure?.hint.contains("scripts/fetch-model") == true)
    }

    @Test func anotherModelIsRefusedByItsDigest() throws {
        let folder = try TemporaryFolder()
        try folder.write("[UNK]\n[CLS]\n[SEP]\n", to: MiniLM.vocabularyFile)
        try folder.write(TensorFile.bytes(header: TensorFile.header(), data: TensorFile.data), to: MiniLM.weightsFile)
        let failure = #expect(throws: Failure.self) { try MiniLM(folder: folder.path) }
        #expect(failure?.code == .storage && failure?.message.contains(MiniLM.vocabularyDigest) == true)
    }

    @Test func aModelOfAnotherShapeIsRefused() throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        try folder.write("[UNK]\n[CLS]\n[SEP]\n", to: MiniLM.vocabularyFile)
        try folder.write(TensorFile.bytes(header: TensorFile.header(), data: TensorFile.data), to: MiniLM.weightsFile)
        let weights = try MappedFile(folder.path(MiniLM.weightsFile), limit: 1 << 20).digest()
        let vocabulary = try MappedFile(folder.path(MiniLM.vocabularyFile), limit: 1 << 20).digest()
        let failure = #expect(throws: Failure.self) {
            try MiniLM(folder: path, weightsDigest: weights, vocabularyDigest: vocabulary)
        }
        #expect(failure?.code == .malformedObject && failure?.message.contains("word_embeddings") == true)
    }

    /// Of "abc": FIPS 180-2, appendix B.1.
    @Test func theDigestIsSHA256() throws {
        let folder = try TemporaryFolder()
        let file = try MappedFile(try folder.write("abc", to: "f"), limit: 3)
        #expect(file.digest() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(file.withBytes { [UInt8]($0) } == [UInt8]("abc".utf8))
    }
}
