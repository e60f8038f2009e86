// Registry: entries of the policy repository pushed to and pulled from OCI registries (distribution specification 1.1). It runs
// with the rights of whoever called it, believes no answer before its digest is checked, and decides nothing about trust.

package import Exchange
package import Model
import Web

/// A place in a registry: `registry.example:5000/team/fifo:1.0.0`, or with a digest instead of a tag. There is no registry that
/// is meant where none is named.
package struct RegistryReference: Hashable, Sendable, CustomStringConvertible {
    /// Host, and port where there is one.
    package let registry: String
    package let repository: String
    package let tag: String?
    package let digest: Digest?

    package init(_ text: String) throws(Failure) {
        func wrong(_ why: String) -> Failure {
            Failure(
                .invalidArgument, "\(text.quotedForDisplay(limit: 200)) does not name a place in a registry: \(why)",
                hint: "as registry.example/team/fifo:1.0.0, localhost:5000/fifo or registry.example/fifo@sha256:…")
        }
        guard text.utf8.count <= 512 else { throw wrong("it is too long") }
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        digest = halves.count == 2 ? try Digest(String(halves[1])) : nil
        let parts = halves[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw wrong("the name of the registry is missing") }
        registry = String(parts[0])
        guard registry == "localhost" || registry.contains(where: { ".:".contains($0) }) else {
            throw wrong("\(registry.quotedForDisplay()) is no host")
        }
        guard registry.wholeMatch(of: Self.host) != nil else {
            throw wrong("\(registry.quotedForDisplay()) is no host")
        }
        var path = parts[1]
        if let colon = path.lastIndex(of: ":") {
            let tag = String(path[path.index(after: colon)...])
            guard Self.isTag(tag) else { throw wrong("\(tag.quotedForDisplay()) is no tag") }
            self.tag = tag
            path = path[..<colon]
        } else {
            tag = nil
        }
        repository = String(path)
        guard repository.utf8.count <= 255, repository.wholeMatch(of: Self.path) != nil else {
            throw wrong("\(repository.quotedForDisplay()) is no name of a repository")
        }
    }

    package static func isTag(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9._-]{0,127}/) != nil
    }

    /// The grammars are the distribution specification's.
    private static var host: Regex<Substring> {
        #/(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?/#
    }
    private static var path: Regex<Substring> {
        #/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*/#
    }

    /// The root of its API. Without encryption on this machine, or where that is asked for.
    func address(plain: Bool) throws(Failure) -> WebAddress {
        let encrypted = try WebAddress("https://\(registry)/v2/")
        return plain || encrypted.isLoopback ? try WebAddress("http://\(registry)/v2/") : encrypted
    }

    package var description: String {
        "\(registry)/\(repository)" + (tag.map { ":" + $0 } ?? "") + (digest.map { "@\($0)" } ?? "")
    }
}
