import Exchange
import FoundationEssentials
package import Model
package import Web

/// One repository of one registry, for the time of one push or pull.
package final class RegistryClient {
    package enum Purpose: String, Sendable { case pull, push = "pull,push" }

    let web: WebClient
    let reference: RegistryReference
    /// `https://registry.example/v2/`
    let base: WebAddress
    private let accounts: Accounts
    private let purpose: Purpose
    private var authorization: String?

    /// Whom the registry is told we are, if it asks.
    package struct Accounts: Sendable {
        package var credentials: RegistryCredentials?
        package var helper: String?

        package init(credentials: RegistryCredentials? = nil, helper: String? = nil) {
            self.credentials = credentials
            self.helper = helper
        }

        /// What was kept for a registry is not shown to whoever listens on the way.
        func fitting(_ base: WebAddress) -> Accounts {
            guard !base.isEncrypted, !base.isLoopback, credentials?.isGiven == false else { return self }
            return Accounts(credentials: nil, helper: helper)
        }
    }

    private init(
        _ web: WebClient, _ reference: RegistryReference, _ base: WebAddress, _ accounts: Accounts, _ purpose: Purpose
    ) {
        self.web = web
        self.reference = reference
        self.base = base
        self.accounts = accounts
        self.purpose = purpose
    }

    /// - Parameter plain: without encryption, wherever the registry is.
    package static func with<R>(
        _ reference: RegistryReference, _ purpose: Purpose, accounts: Accounts, plain: Bool = false,
        patience: WebPatience = WebPatience(), _ body: (RegistryClient) async throws(Failure) -> R
    ) async throws(Failure) -> R {
        let base = try reference.address(plain: plain)
        let accounts = accounts.fitting(base)
        return try await WebClient.with(patience, plain: plain ? base : nil) { web throws(Failure) in
            try await body(RegistryClient(web, reference, base, accounts, purpose))
        }
    }

    /// Sends a request, and once more with what the registry demands where it does.
    func ask(_ request: WebRequest) async throws(Failure) -> WebResponse {
        var request = request
        let isOurs = request.address.hasSameOrigin(as: base)
        request.authorization = isOurs ? authorization : nil
        let response = try await web.send(request)
        guard response.status == 401, isOurs, response.address.hasSameOrigin(as: base) else { return response }
        guard let renewed = try await authorize(response), renewed != request.authorization else { return response }
        authorization = renewed
        request.authorization = renewed
        return try await web.send(request)
    }

    func address(_ path: String) throws(Failure) -> WebAddress {
        try base.resolving("/v2/\(reference.repository)/\(path)")
    }

    /// What answers the challenge; nil where nothing does.
    private func authorize(_ response: WebResponse) async throws(Failure) -> String? {
        let challenges = AuthChallenge.parse(response.headers["www-authenticate"] ?? [])
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) { return try await token(bearer) }
        guard challenges.contains(where: { $0.scheme == "basic" }) else { return nil }
        return accounts.credentials?.basic
    }

    /// A token for what we are about to do, of the service that the registry names.
    private func token(_ challenge: AuthChallenge) async throws(Failure) -> String {
        guard let realm = challenge.parameters["realm"] else {
            throw Failure(.malformed, "\(reference.registry) demands a token, and does not say of whom")
        }
        var query = [(name: "scope", value: "repository:\(reference.repository):\(purpose.rawValue)")]
        if let service = challenge.parameters["service"] { query.insert((name: "service", value: service), at: 0) }
        let address = try WebAddress(realm).adding(query: query)
        let request = WebRequest(.get, address, authorization: accounts.credentials?.basic)
        let response = try await web.send(request)
        guard response.isSuccess else { throw failure(response, "no token was given by \(address)") }
        let form = try? JSONDecoder().decode(TokenForm.self, from: Data(response.body))
        guard let token = form?.token ?? form?.access_token, (1...16384).contains(token.utf8.count),
            token.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw Failure(.malformed, "\(address) answered without a token") }
        return "Bearer " + token
    }

    /// Why the registry did not do it.
    func failure(_ response: WebResponse, _ what: String) -> Failure {
        let said = Self.said(response)
        let message = "\(what): \(reference.registry) answered \(response.status)\(said.isEmpty ? "" : ", \(said)")"
        switch response.status {
        case 401: return Failure(.denied, message, hint: loginHint)
        case 403: return Failure(.denied, message, hint: "may this account do it?")
        case 404:
            return Failure(
                .notFound, message,
                hint: "is the name right? A private repository is hidden from strangers: \(loginHint)")
        case 413: return Failure(.tooMany, message)
        case 429: return Failure(.busy, message, hint: "try again later")
        case 500...: return Failure(.busy, message, hint: "the registry fails; try again later")
        default: return Failure(.malformed, message)
        }
    }

    private var loginHint: String {
        if let helper = accounts.helper {
            return "the account is kept by the helper \(helper.quotedForDisplay()), which is not asked: use --username"
        }
        return accounts.credentials == nil
            ? "log in with podman or docker, or use --username with the password on standard input"
            : "the account was refused"
    }

    /// The first of the errors that the registry names.
    private static func said(_ response: WebResponse) -> String {
        struct Answer: Decodable {
            struct One: Decodable {
                var code: String?
                var message: String?
            }

            var errors: [One]?
        }
        let one = (try? JSONDecoder().decode(Answer.self, from: Data(response.body)))?.errors?.first
        return [one?.code, one?.message].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ": ")
            .escapedForDisplay(limit: 200)
    }
}

private struct TokenForm: Decodable {
    var token: String?
    // swift-format-ignore: AlwaysUseLowerCamelCase
    var access_token: String?
}
