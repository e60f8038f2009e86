import Glibc
import Linux

/// What the kernel's log gains from now on.
struct KernelLogReader {
    /// Lines that are told, and the least important level of them (KERN_WARNING).
    static let maximumLines = 200
    static let level = 4

    private let log: SharedDescriptor?

    init() {
        do throws(SystemError) {
            let file = SharedDescriptor(try .open("/dev/kmsg", O_RDONLY | O_NONBLOCK))
            // What was there before is not of this trial.
            lseek(file.raw, 0, SEEK_END)
            log = file
        } catch { log = nil }
    }

    /// Warnings and worse, with the lines that continue them. /dev/kmsg gives one record a read:
    /// `level,sequence,microseconds,flags;text`, then lines that begin with a space.
    func newLines() -> [String] {
        guard let log else { return [] }
        var lines: [String] = []
        while lines.count < Self.maximumLines {
            let record: [UInt8]
            do throws(SystemError) {
                guard case .done(let bytes) = try GuestStream.read(log.raw, limit: 8192) else { break }
                record = bytes
            } catch {
                // EPIPE: lines were overwritten before they were read; the next read goes on behind them.
                if error.code == EPIPE { continue }
                break
            }
            let text = String(decoding: record, as: UTF8.self).split(separator: "\n").first ?? ""
            guard let semicolon = text.firstIndex(of: ";"),
                let priority = Int(text[..<semicolon].prefix { $0 != "," }), priority & 7 <= Self.level
            else { continue }
            lines.append(String(text[text.index(after: semicolon)...]))
        }
        return lines
    }
}
