/// What a frame is for. The high byte is a family; a family that a guest serves is named in its ``Hello/features``.
///
/// 0x00 the connection, 0x01 commands, 0x02 files, 0x03 kept for schedulers (load, torture, measure), 0x80 and above
/// kept for experiments. Who does not know an operation answers ``Message/failed(channel:_:)`` and goes on.
package enum Operation: UInt16, CaseIterable, Sendable {
    case hello = 0x0001
    case ping = 0x0002
    case pong = 0x0003
    case failed = 0x0004
    case credit = 0x0005

    case execute = 0x0101
    case started = 0x0102
    case input = 0x0103
    case inputEnd = 0x0104
    case output = 0x0105
    case errorOutput = 0x0106
    case signal = 0x0107
    case resize = 0x0108
    case exited = 0x0109

    case putFile = 0x0201
    case getFile = 0x0202
    case fileData = 0x0203
    case fileEnd = 0x0204
    case fileStored = 0x0205
}
