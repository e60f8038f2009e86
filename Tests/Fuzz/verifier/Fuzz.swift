import Model
import Wire

private let limit = 64 * 1024

// The stream between the daemon and a verifier, in both directions: frames cut anywhere, with and without stuffing, and the
// messages in them as each side takes them.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = bytes.first else { return 0 }
    // The first byte says in what pieces the rest arrives, and over what kind of stream.
    let isStuffed = first & 1 != 0
    let piece = Int(first >> 1) + 1
    let content = Array(bytes.dropFirst())
    let whole = decode(content, isStuffed: isStuffed, piece: max(1, content.count))
    let cut = decode(content, isStuffed: isStuffed, piece: piece)
    // Over a stuffed stream a mistake may take what came right before it along.
    precondition(isStuffed ? isPart(whole.pieces, of: cut.pieces) : whole == cut, "how it is cut makes a difference")
    for case .frame(let payload) in whole.pieces { take(payload) }
    begin(after: content, piece)
    return 0
}

private func isPart(_ some: [VerifierStreamDecoder.Piece], of all: [VerifierStreamDecoder.Piece]) -> Bool {
    var rest = all[...]
    for piece in some {
        guard let place = rest.firstIndex(of: piece) else { return false }
        rest = rest[(place + 1)...]
    }
    return true
}

private struct Decoded: Equatable {
    var pieces: [VerifierStreamDecoder.Piece] = []
    var isOver = false
}

private func decode(_ content: [UInt8], isStuffed: Bool, piece: Int) -> Decoded {
    var decoder = VerifierStreamDecoder(isStuffed: isStuffed, limit: limit)
    var result = Decoded()
    var at = 0
    do throws(Failure) {
        while at < content.count {
            let end = min(content.count, at + piece)
            result.pieces += try decoder.decode(content[at..<end])
            at = end
            precondition(decoder.unfinishedBytes < 4 + limit)
        }
    } catch {
        precondition(!isStuffed && error.code == .frameTooLarge)
        result.isOver = true
        // What came before the frame that is refused depends on the cuts.
        result.pieces = []
    }
    for case .frame(let payload) in result.pieces { precondition(payload.count <= limit) }
    return result
}

/// A session that begins after anything at all is whole.
private func begin(after content: [UInt8], _ piece: Int) {
    let length = UInt32(content.count)
    guard content.count <= limit else { return }
    let header = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) }
    let stream = content + Stuffing.reset + Stuffing.encode(header + content)
    let pieces = decode(stream, isStuffed: true, piece: piece).pieces
    precondition(Array(pieces.suffix(2)) == [.reset, .frame(content)], "a session does not begin anew")
}

private func take(_ payload: [UInt8]) {
    _ = try? Frame.decode(WireVerifierRequest.self, from: payload)
    do throws(Failure) {
        try MessageCount.check(payload)
        let message = try Frame.decode(WireVerifierResponse.self, from: payload)
        for stage in message.finished.report.stages {
            let report = try stage.asReport()
            precondition(report.findings.count <= VerificationBounds.entries)
            // What was taken can be given on.
            let again = try WireStageResult(report, evidence: stage.evidenceSha256).asReport()
            precondition(again.verdict == report.verdict && again.findings.count == report.findings.count)
        }
        if case .finding(let finding) = message.event.progress.what { _ = try finding.asFinding() }
    } catch {}
}
