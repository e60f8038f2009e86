import Foundation
import TestSupport

@testable import Embedding

/// The real model, where scripts/fetch-model or scripts/install has put it. `SCHEDCP_MODEL` names another folder; tests that
/// need it are left out only where it is nowhere.
enum RealModel {
    static let folder: String? = {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["SCHEDCP_MODEL"] { return named }
        let caches = [
            environment["SCHEDCP_CACHE"], environment["XDG_CACHE_HOME"].map { $0 + "/schedcp" },
            NSHomeDirectory() + "/.cache/schedcp",
        ]
        let places =
            caches.compactMap { $0.map { $0 + "/models/all-MiniLM-L6-v2" } } + [
                "/usr/share/schedcp/models/all-MiniLM-L6-v2"
            ]
        return places.first { FileManager.default.fileExists(atPath: $0 + "/" + MiniLM.weightsFile) }
    }()

    static var isThere: Bool { folder != nil }

    static let shared = Task<MiniLM, any Error> {
        guard let folder else { throw Lacking("the model is not there; scripts/fetch-model fetches it") }
        return try MiniLM(folder: folder)
    }
}

/// What the reference made of the same texts: Tests/Fixtures/embedding/reference.py.
enum Reference {
    struct Tokens: Decodable {
        let text: String
        let `repeat`: Int
        let ids: [Int32]
    }

    struct Sentence: Decodable {
        let text: String
        let vector: [Float]
    }

    static func read<Row: Decodable>(_ name: String) throws -> [Row] {
        let path = Checkout.root + "/Tests/Fixtures/embedding/" + name
        return try JSONDecoder().decode([Row].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }
}

/// Files of the safetensors format, right or wrong.
enum TensorFile {
    static func bytes(header: String, data: [UInt8], length: UInt64? = nil) -> [UInt8] {
        let length = length ?? UInt64(header.utf8.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + header.utf8 + data
    }

    /// The header of one tensor of six values, padded so that the data is aligned.
    static func header(
        type: String = "\"F32\"", shape: String = "[2,3]", offsets: String = "[0,24]", name: String = "\"t\""
    ) -> String {
        let text =
            "{\"__metadata__\":{\"format\":\"pt\"},\(name):{\"dtype\":\(type),\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
        return text + String(repeating: " ", count: (4 - text.utf8.count % 4) % 4)
    }

    static let data = [UInt8](0..<24)
}
