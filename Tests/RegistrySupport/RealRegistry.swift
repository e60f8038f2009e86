import Foundation
import Model
package import TestSupport

/// The registry of the distribution project, as Debian packages it, on a port of 127.0.0.1 with a folder of its own.
/// scripts/fetch-registry brings it; SCHEDCP_TEST_REGISTRY names its program.
package final class RealRegistry: Sendable {
    package static let program = ProcessInfo.processInfo.environment["SCHEDCP_TEST_REGISTRY"]
    package static let missing: String = "there is no registry: SCHEDCP_TEST_REGISTRY=$(scripts/fetch-registry)"

    package let folder: TemporaryFolder
    package let name: String
    private let process: ChildProcess

    private init(_ folder: TemporaryFolder, _ process: ChildProcess, port: Int) {
        self.folder = folder
        self.process = process
        name = "127.0.0.1:\(port)"
    }

    /// Serves while `body` runs.
    /// - Parameters:
    ///   - account: it demands the account ann, with the password "s3:cr et".
    ///   - encrypted: with a certificate that nobody trusts.
    package static func with(
        account: Bool = false, encrypted: Bool = false, _ body: (RealRegistry) async throws -> Void
    ) async throws {
        guard let program else { throw Lacking(missing) }
        let folder = try TemporaryFolder()
        var config = """
            version: 0.1
            log: {level: info, accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: "\(folder.path("store"))"}, delete: {enabled: true}}

            """
        if account {
            // bcrypt, the only form that it takes.
            try folder.write("ann:$2y$04$otGaIDfOSEhRHMKjRLmdWu9WtLxg8LoFOV/TT/YMHd3YFN6zb8RL2\n", to: "accounts")
            config += "auth: {htpasswd: {realm: here, path: \"\(folder.path("accounts"))\"}}\n"
        }
        var http = "addr: \"127.0.0.1:0\""
        if encrypted {
            let made = try await Command.run(
                "/usr/bin/env",
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder.path("key"),
                    "-out",
                    folder.path("certificate"),
                ])
            guard made.status == 0 else { throw Lacking("openssl made no certificate: \(made.errors)") }
            http += ", tls: {certificate: \"\(folder.path("certificate"))\", key: \"\(folder.path("key"))\"}"
        }
        config += "http: {\(http)}\n"
        let file = try folder.write(config, to: "config.yml")
        let process = try ChildProcess(program, ["serve", file], environment: ["OTEL_TRACES_EXPORTER": "none"])
        let registry = try await started(process, folder)
        do { try await body(registry) } catch {
            process.signal(SIGKILL)
            _ = await process.ending()
            throw error
        }
        process.signal(SIGKILL)
        _ = await process.ending()
    }

    /// It says on which port it listens.
    private static func started(_ process: ChildProcess, _ folder: TemporaryFolder) async throws -> RealRegistry {
        let said = { (process.errors + process.output).firstMatch(of: /listening on 127\.0\.0\.1:([0-9]+)/)?.1 }
        _ = await eventually { said() != nil || !process.isRunning }
        guard let port = said().flatMap({ Int($0) }) else {
            throw Lacking("the registry did not start:\n\(process.errors)\(process.output)")
        }
        return RealRegistry(folder, process, port: port)
    }

    /// The file of a blob in its store.
    package func path(ofBlob hex: String) -> String {
        "store/docker/registry/v2/blobs/sha256/\(hex.prefix(2))/\(hex)/data"
    }
}
