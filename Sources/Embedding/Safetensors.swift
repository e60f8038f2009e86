import FoundationEssentials
import Model

/// Tensors of float32 in a mapped file of the safetensors format: the length of a JSON header (u64, little-endian), the
/// header, the data. Whatever the file says, nothing outside it is read.
/// Source: https://github.com/huggingface/safetensors, "Format".
struct Safetensors: Sendable {
    /// A tensor's place, in units of 4 bytes from the file's start.
    struct Place: Hashable, Sendable {
        var start: Int
        var shape: [Int]
    }

    static let maxHeaderBytes = 1 << 20
    static let maxTensors = 4096

    let file: MappedFile
    private let places: [String: Place]

    init(_ file: MappedFile) throws(Failure) {
        self.file = file
        guard let header = file.withBytes({ Self.header($0) }) else {
            throw Failure(.malformedObject, "the model's file has no header of a plausible length")
        }
        let entries: [String: Entry]
        do { entries = try JSONDecoder().decode([String: Entry].self, from: Data(header)) } catch {
            throw Failure(.malformedObject, "the header of the model's file cannot be read", detail: "\(error)")
        }
        guard entries.count <= Self.maxTensors else {
            throw Failure(.malformedObject, "the model's file has \(entries.count) tensors")
        }
        let dataStart = 8 + header.count
        guard dataStart % 4 == 0 else { throw Failure(.malformedObject, "the model's data is not aligned to 4 bytes") }
        var places: [String: Place] = [:]
        for (name, entry) in entries where entry.type == "F32" {
            places[name] = try Self.place(name, entry, dataStart: dataStart, fileBytes: file.count)
        }
        self.places = places
    }

    /// The place of a tensor that has to have this shape.
    func tensor(_ name: String, _ shape: Int...) throws(Failure) -> Int {
        guard let place = places[name] else { throw Failure(.malformedObject, "the model has no tensor '\(name)'") }
        guard place.shape == shape else {
            throw Failure(.malformedObject, "the model's tensor '\(name)' is \(place.shape), not \(shape)")
        }
        return place.start
    }

    private static func header(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard bytes.count >= 8 else { return nil }
        // SAFETY: the buffer has these 8 bytes; below, the header's length was compared with what is there.
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length > 0, length <= UInt64(min(maxHeaderBytes, bytes.count - 8)) else { return nil }
        return [UInt8](bytes[8..<8 + Int(length)])
    }

    private static func place(
        _ name: String, _ entry: Entry, dataStart: Int, fileBytes: Int
    ) throws(Failure) -> Place {
        let wrong = Failure(.malformedObject, "the model's tensor \(name.quotedForDisplay()) does not lie in the file")
        guard entry.offsets.count == 2, entry.shape.count <= 8 else { throw wrong }
        let (begin, end) = (entry.offsets[0], entry.offsets[1])
        guard begin >= 0, begin <= end, end <= fileBytes - dataStart, begin % 4 == 0 else { throw wrong }
        var count = 1
        for length in entry.shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard length >= 0, !overflow else { throw wrong }
            count = product
        }
        // Divided rather than multiplied, so that nothing overflows.
        guard (end - begin) % 4 == 0, (end - begin) / 4 == count else { throw wrong }
        return Place(start: (dataStart + begin) / 4, shape: entry.shape)
    }

    /// One value of the header. `__metadata__`, which is no tensor, has other keys.
    private struct Entry: Decodable {
        let type: String
        let shape: [Int]
        let offsets: [Int]

        enum Key: String, CodingKey { case dtype, shape, data_offsets }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Key.self)
            type = try values.decodeIfPresent(String.self, forKey: .dtype) ?? ""
            shape = try values.decodeIfPresent([Int].self, forKey: .shape) ?? []
            offsets = try values.decodeIfPresent([Int].self, forKey: .data_offsets) ?? []
        }
    }
}
