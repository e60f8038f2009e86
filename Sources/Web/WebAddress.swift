// Web: bounded requests over HTTPS, for programs that run as ordinary users. It is the one place that speaks HTTP; no
// privileged program links it. Every answer is taken as hostile: bounded in size and time, redirected only where that is safe.

import FoundationEssentials
package import Model

/// The address of something on a web server: http or https, a host, a path and a query; no account in it.
package struct WebAddress: Hashable, Sendable, CustomStringConvertible {
    private let url: URL
    /// As in the address, lower-case; an IPv6 address without its brackets.
    package let host: String
    package let port: Int
    package let isEncrypted: Bool

    package init(_ text: String) throws(Failure) { try self.init(URL(string: text), named: text) }

    private init(_ url: URL?, named text: String) throws(Failure) {
        func wrong(_ why: String) -> Failure {
            Failure(.invalidArgument, "\(text.quotedForDisplay(limit: 200)) is not an address that can be used: \(why)")
        }
        guard text.utf8.count <= 8192, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw wrong("it is too long or has characters that no address has")
        }
        guard let url, let scheme = url.scheme?.lowercased(), scheme == "https" || scheme == "http" else {
            throw wrong("it begins with neither https:// nor http://")
        }
        guard let host = url.host(percentEncoded: true), !host.isEmpty else { throw wrong("it has no host") }
        guard url.user() == nil, url.password() == nil else { throw wrong("it has an account in it") }
        self.url = url
        self.host = (host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host).lowercased()
        isEncrypted = scheme == "https"
        port = url.port ?? (isEncrypted ? 443 : 80)
    }

    /// What a server means by a location in an answer to a request for this one.
    package func resolving(_ location: String) throws(Failure) -> WebAddress {
        try WebAddress(URL(string: location, relativeTo: url)?.absoluteURL, named: location)
    }

    package func adding(query: [(name: String, value: String)]) throws(Failure) -> WebAddress {
        guard !query.isEmpty else { return self }
        let pairs = query.map { "\(Self.escaped($0.name))=\(Self.escaped($0.value))" }.joined(separator: "&")
        let text = url.absoluteString
        return try WebAddress(
            text + (text.contains("?") ? (text.hasSuffix("?") || text.hasSuffix("&") ? "" : "&") : "?") + pairs)
    }

    /// This machine, by its name or its addresses.
    package var isLoopback: Bool {
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return host == "localhost" || host == "::1" || numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil)
    }

    /// What is sent to one of them may be sent to the other.
    package func hasSameOrigin(as other: WebAddress) -> Bool {
        (host, port, isEncrypted) == (other.host, other.port, other.isEncrypted)
    }

    package var text: String { url.absoluteString }

    /// Without its query, which may hold a secret.
    package var description: String {
        let text = url.absoluteString
        return String(text.prefix { $0 != "?" && $0 != "#" })
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                scalar.isASCII
                && (scalar.properties.isAlphabetic || (48...57).contains(byte)
                    || "-._~".unicodeScalars.contains(scalar))
            if isPlain { out.unicodeScalars.append(scalar) } else { out += "%" + Hex.text([byte]).uppercased() }
        }
        return out
    }
}
