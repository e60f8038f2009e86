import FoundationEssentials
import Linux
package import Model

/// An account at a registry.
package struct RegistryCredentials: Hashable, Sendable {
    package let user: String
    package let password: String
    /// By the caller, for this very call, and not found in a file.
    package let isGiven: Bool

    package init(user: String, password: String, isGiven: Bool = true) {
        self.user = user
        self.password = password
        self.isGiven = isGiven
    }

    /// Of HTTP's basic authentication.
    var basic: String { "Basic " + Data("\(user):\(password)".utf8).base64EncodedString() }
}

/// What `podman login` and `docker login` have kept.
package struct CredentialFiles: Sendable {
    package let credentials: RegistryCredentials?
    /// A helper that keeps the password, and that is not asked here: programs are not started for it.
    package let helper: String?

    private static let maxBytes = 1 << 20

    /// Looks for the registry in the files that those tools have, in their order. A file that is there and cannot be read is an
    /// error; one that is not there is none.
    package init(for reference: RegistryReference, environment: [String: String]) throws(Failure) {
        var helper: String?
        for path in Self.paths(environment) {
            let bytes: [UInt8]
            do throws(SystemError) { bytes = try TextFile.readBytes(path, limit: Self.maxBytes) } catch {
                if error.isNoSuchFile { continue }
                throw Failure(
                    .storage, "the accounts in \(path.quotedForDisplay(limit: 200)) cannot be read: \(error.reason)")
            }
            let file: AccountsForm
            do { file = try JSONDecoder().decode(AccountsForm.self, from: Data(bytes)) } catch {
                throw Failure(
                    .malformed,
                    "the accounts in \(path.quotedForDisplay(limit: 200)) cannot be read: they are no JSON of that form",
                    hint: "log in anew, or use --username")
            }
            if let found = try Self.account(file, reference, path) {
                (credentials, self.helper) = (found, nil)
                return
            }
            helper = helper ?? file.credHelpers?[reference.registry] ?? file.credsStore
        }
        (credentials, self.helper) = (nil, helper)
    }

    static func paths(_ environment: [String: String]) -> [String] {
        func place(_ variable: String, _ below: String) -> String? {
            environment[variable].flatMap { $0.hasPrefix("/") ? $0 + below : nil }
        }
        let home = place("HOME", "")
        return [
            place("REGISTRY_AUTH_FILE", ""),
            place("XDG_RUNTIME_DIR", "/containers/auth.json"),
            place("XDG_CONFIG_HOME", "/containers/auth.json") ?? home.map { $0 + "/.config/containers/auth.json" },
            place("DOCKER_CONFIG", "/config.json") ?? home.map { $0 + "/.docker/config.json" },
        ].compactMap(\.self)
    }

    /// The most exact of `registry/team/fifo`, `registry/team`, `registry`.
    private static func account(
        _ file: AccountsForm, _ reference: RegistryReference, _ path: String
    ) throws(Failure) -> RegistryCredentials? {
        var parts = reference.repository.split(separator: "/").map(String.init)
        var names: [String] = []
        while !parts.isEmpty {
            names.append(reference.registry + "/" + parts.joined(separator: "/"))
            parts.removeLast()
        }
        names += [reference.registry, "https://\(reference.registry)", "https://\(reference.registry)/v1/"]
        guard let auth = names.lazy.compactMap({ file.auths?[$0]?.auth }).first(where: { !$0.isEmpty }) else {
            return nil
        }
        guard let data = Data(base64Encoded: auth), let text = String(validating: data, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else {
            throw Failure(
                .malformed,
                "the account of \(reference.registry) in \(path.quotedForDisplay(limit: 200)) cannot be read",
                hint: "log in anew, or use --username")
        }
        return RegistryCredentials(
            user: String(text[..<colon]), password: String(text[text.index(after: colon)...]), isGiven: false)
    }
}

private struct AccountsForm: Decodable {
    struct Account: Decodable { var auth: String? }

    var auths: [String: Account]?
    var credsStore: String?
    var credHelpers: [String: String]?
}
