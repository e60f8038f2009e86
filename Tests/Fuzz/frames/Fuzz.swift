import Model
import NIOCore
import Wire

// The stream: frames cut anywhere, and the messages in them.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: data, count: count)
    var decoder = FrameDecoder(limit: Frame.ordinaryLimit)
    var buffer = ByteBuffer()
    var at = 0
    // The first byte says in what pieces the rest arrives.
    let piece = max(1, Int(bytes.first ?? 1))
    do {
        while at < bytes.count {
            buffer.writeBytes(bytes[at..<min(bytes.count, at + piece)])
            at += piece
            while let payload = try decoder.decode(buffer: &buffer) {
                precondition(payload.readableBytes <= Frame.ordinaryLimit)
                if let request = try? Frame.decode(WireRequest.self, from: payload) { _ = Frame.size(of: request) }
            }
        }
        _ = try decoder.decodeLast(buffer: &buffer, seenEOF: true)
    } catch { precondition(error is Failure) }
    return 0
}
