import CSystemd
import Glibc

/// The system journal's native protocol: structured fields, nothing to parse.
package enum Journal {
    /// Is standard error connected to the journal? (systemd sets this for its services.)
    package static var isConnected: Bool { getenv("JOURNAL_STREAM") != nil }

    /// Sends one entry. A field's name is upper-case letters, digits and underscores; its value is any text.
    @discardableResult
    package static func send(_ fields: [(name: String, value: String)]) -> Bool {
        var buffers: [UnsafeMutablePointer<CChar>] = []
        defer { buffers.forEach { free($0) } }
        let vectors = fields.compactMap { field -> iovec? in
            // SAFETY: strdup's copy lives until the call has returned; its length is that of the same bytes.
            guard let copy = strdup("\(field.name)=\(field.value)") else { return nil }
            buffers.append(copy)
            return iovec(iov_base: copy, iov_len: strlen(copy))
        }
        return vectors.withUnsafeBufferPointer { sd_journal_sendv($0.baseAddress, CInt($0.count)) == 0 }
    }
}
