import Crypto
package import Embedding
import FoundationEssentials
package import Model
package import Web

/// A service that makes vectors of sentences: `POST …/embeddings` as OpenAI defined it.
package struct EndpointEmbedder: Embedder {
    /// Texts, and bytes of them, in one request.
    static let batch = 64
    static let batchBytes = 256 << 10
    /// Of one text: the models read no more.
    static let textBytes = 8 << 10
    static let dimensions = 1...8192
    /// Bytes of a figure in the answer, with what is around it.
    private static let figureBytes = 32

    package let identity: EmbeddingIdentity
    private let settings: EndpointSettings
    private let web: WebClient

    /// Asks for one vector, to know how long they are.
    package init(_ settings: EndpointSettings, _ web: WebClient) async throws(Failure) {
        self.settings = settings
        self.web = web
        let first = try await Self.ask(settings, web, ["a scheduler"], dimensions: nil)
        let name = "\(settings.model) at \(settings.address)"
        let digest = SHA256.hash(data: Data("\(settings.address.text)\n\(settings.model)".utf8))
        identity = EmbeddingIdentity(name: name, digest: Hex.text(digest), dimensions: first.first?.count ?? 0)
    }

    package func vectors(for texts: [String]) async throws(Failure) -> [[Float]] {
        var vectors: [[Float]] = []
        for batch in Self.batches(texts) {
            vectors += try await Self.ask(settings, web, batch, dimensions: identity.dimensions)
        }
        return vectors
    }

    /// In their order, each text cut to what a model reads.
    static func batches(_ texts: [String]) -> [[String]] {
        var batches: [[String]] = []
        var bytes = 0
        for text in texts {
            let text = cut(text)
            if bytes + text.utf8.count > batchBytes || batches.last?.count ?? batch >= batch {
                batches.append([])
                bytes = 0
            }
            batches[batches.count - 1].append(text)
            bytes += text.utf8.count
        }
        return batches
    }

    private static func cut(_ text: String) -> String {
        if text.utf8.count <= textBytes { return text }
        var out = ""
        for character in text {
            if out.utf8.count + character.utf8.count > textBytes { break }
            out.append(character)
        }
        return out
    }

    private static func ask(
        _ settings: EndpointSettings, _ web: WebClient, _ texts: [String], dimensions: Int?
    ) async throws(Failure) -> [[Float]] {
        let body: Data
        do {
            body = try JSONEncoder().encode(Question(input: texts, model: settings.model, encoding_format: "float"))
        } catch {
            throw Failure(.internal, "the question to \(settings.address) could not be encoded")
        }
        let limit = texts.count * (dimensions ?? Self.dimensions.upperBound) * figureBytes + (64 << 10)
        let request = WebRequest(
            .post, settings.address, headers: [.init("content-type", "application/json")],
            authorization: settings.key.map { "Bearer " + $0 }, body: [UInt8](body), answerLimit: limit,
            isRepeatable: true)
        let response = try await web.send(request)
        guard response.isSuccess else { throw refused(response, settings) }
        let answer: Answer
        do { answer = try JSONDecoder().decode(Answer.self, from: Data(response.body)) } catch {
            throw Failure(.malformed, "\(settings.address) answered without vectors")
        }
        return try vectors(answer, of: texts.count, dimensions, settings)
    }

    private static func refused(_ response: WebResponse, _ settings: EndpointSettings) -> Failure {
        let said = String(decoding: response.body.prefix(1000), as: UTF8.self).escapedForDisplay(limit: 200)
        let message = "\(settings.address) answered \(response.status): \(said)"
        return response.status == 401 || response.status == 403
            ? Failure(.denied, message, hint: "\(EndpointSettings.keyVariable) names the file with the key")
            : Failure(response.status >= 500 || response.status == 429 ? .busy : .malformed, message)
    }

    /// One of each text, in their order, of length 1.
    private static func vectors(
        _ answer: Answer, of count: Int, _ dimensions: Int?, _ settings: EndpointSettings
    ) throws(Failure) -> [[Float]] {
        func wrong(_ why: String) -> Failure {
            Failure(.malformed, "\(settings.address) answered with vectors that cannot be used: \(why)")
        }
        guard answer.data.count == count else { throw wrong("\(answer.data.count) where \(count) were asked for") }
        var vectors = [[Float]](repeating: [], count: count)
        for one in answer.data {
            guard vectors.indices.contains(one.index), vectors[one.index].isEmpty else {
                throw wrong("their numbers are wrong")
            }
            let length = one.embedding.count
            guard length == dimensions ?? length, Self.dimensions.contains(length) else {
                throw wrong("one has \(length) components\(dimensions.map { ", not \($0)" } ?? "")")
            }
            let size = one.embedding.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard size.isFinite, size > 0 else { throw wrong("one has no direction") }
            vectors[one.index] = one.embedding.map { Float($0 / size) }
        }
        guard let first = vectors.first, vectors.allSatisfy({ $0.count == first.count }) else {
            throw wrong("they are of several lengths")
        }
        return vectors
    }
}

private struct Question: Encodable {
    var input: [String]
    var model: String
    // swift-format-ignore: AlwaysUseLowerCamelCase
    var encoding_format: String
}

private struct Answer: Decodable {
    struct One: Decodable {
        var index: Int
        var embedding: [Double]
    }

    var data: [One]
}
