import Foundation
import Model

/// The tokenizer of uncased BERT models: text becomes words, words become the longest pieces that the vocabulary has.
///
/// As the reference (Hugging Face `tokenizers`, BertNormalizer, BertPreTokenizer, WordPiece), with one difference: the names
/// of special tokens in a text, such as "[SEP]", are words like others, so that a text cannot pose as two.
struct WordPiece: Sendable {
    static let maxVocabularyBytes = 4 << 20
    /// A longer word is unknown as a whole.
    static let maxWordScalars = 100

    let count: Int
    private let pieces: [[UInt8]: Int32]
    private let longest: Int
    private let unknown: Int32
    private let start: Int32
    private let end: Int32

    /// - Parameter vocabulary: one piece a line; the number of a line, from 0, is the piece's id.
    init(vocabulary: [UInt8]) throws(Failure) {
        var pieces: [[UInt8]: Int32] = [:]
        pieces.reserveCapacity(32_000)
        var lines = vocabulary.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (number, line) in lines.enumerated() {
            guard !line.isEmpty, pieces.updateValue(Int32(number), forKey: [UInt8](line)) == nil else {
                throw Failure(.malformedObject, "line \(number + 1) of the vocabulary is empty or there twice")
            }
        }
        guard let unknown = pieces[[UInt8]("[UNK]".utf8)], let start = pieces[[UInt8]("[CLS]".utf8)],
            let end = pieces[[UInt8]("[SEP]".utf8)]
        else { throw Failure(.malformedObject, "the vocabulary lacks [UNK], [CLS] or [SEP]") }
        self.pieces = pieces
        (self.unknown, self.start, self.end) = (unknown, start, end)
        count = lines.count
        longest = lines.reduce(0) { max($0, $1.count) }
    }

    /// The pieces of a text between the marks of start and end, at most `limit` (2 or more) in all. Reads no further than
    /// it has to.
    func ids(of text: String, limit: Int) -> [Int32] {
        var reading = Reading(ids: [start], limit: limit - 1)
        for scalar in text.unicodeScalars {
            if reading.ids.count >= reading.limit { break }
            read(scalar, &reading)
        }
        finishWord(&reading)
        return reading.ids + [end]
    }

    private struct Reading {
        var ids: [Int32]
        let limit: Int
        var word: [UInt8] = []
        var scalars = 0
    }

    private func read(_ scalar: Unicode.Scalar, _ reading: inout Reading) {
        if scalar.isASCII {
            if scalar.value >= 0x20 && scalar.value != 0x7F {
                add(ScalarForms.lowercasedASCII(scalar), &reading)
            } else if ScalarForms.isSpaceAmongControls(scalar) {
                finishWord(&reading)
            }
            return
        }
        if ScalarForms.isDropped(scalar) { return }
        let isAlone = ScalarForms.isIdeograph(scalar)
        if isAlone { finishWord(&reading) }
        for form in ScalarForms.folded(scalar) { add(form, &reading) }
        if isAlone { finishWord(&reading) }
    }

    private func add(_ scalar: Unicode.Scalar, _ reading: inout Reading) {
        if scalar.properties.isWhitespace { return finishWord(&reading) }
        let isAlone = ScalarForms.isPunctuation(scalar)
        if isAlone { finishWord(&reading) }
        if reading.scalars < Self.maxWordScalars { reading.word.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
        reading.scalars += 1
        if isAlone { finishWord(&reading) }
    }

    private func finishWord(_ reading: inout Reading) {
        guard reading.scalars > 0 else { return }
        let ids = reading.scalars > Self.maxWordScalars ? [unknown] : self.ids(ofWord: reading.word)
        reading.ids.append(contentsOf: ids.prefix(max(0, reading.limit - reading.ids.count)))
        reading.word.removeAll(keepingCapacity: true)
        reading.scalars = 0
    }

    /// Greedy: the longest piece that fits, from the front; the whole word is unknown where none does.
    private func ids(ofWord word: [UInt8]) -> [Int32] {
        var ids: [Int32] = []
        var begin = 0
        while begin < word.count {
            let prefix: [UInt8] = begin == 0 ? [] : [UInt8(ascii: "#"), UInt8(ascii: "#")]
            var end = min(word.count, begin + longest - prefix.count)
            var found: Int32?
            while end > begin {
                found = pieces[prefix + word[begin..<end]]
                if found != nil { break }
                end -= 1
            }
            guard let found else { return [unknown] }
            ids.append(found)
            begin = end
        }
        return ids
    }
}

/// What the tokenizer makes of single characters.
enum ScalarForms {
    static func lowercasedASCII(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        (65...90).contains(scalar.value) ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar
    }

    static func isSpaceAmongControls(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\t" || scalar == "\n" || scalar == "\r"
    }

    /// Controls, formats, private use, and the mark of what could not be decoded.
    static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate: true
        default: scalar.value == 0xFFFD
        }
    }

    /// Each of these is a word.
    static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 33...47, 58...64, 91...96, 123...126: return true
        case ..<128: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    /// Without accents and in lower case: the canonical decomposition, its nonspacing marks left out, each part in lower case.
    static func folded(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars
            .filter { $0.properties.generalCategory != .nonspacingMark }
            .flatMap { $0.properties.lowercaseMapping.unicodeScalars }
    }
}
