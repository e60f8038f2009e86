import Foundation
import TestSupport

/// The package as SwiftPM understands it: `swift package dump-package`.
struct PackageDump: Sendable {
    struct Target: Sendable {
        let name: String
        let isTest: Bool
        /// Targets of this package and products of others, by name.
        let dependencies: Set<String>
        /// The folder of its sources, from the root.
        let path: String
    }

    let targets: [String: Target]

    /// Read once. `SCHEDCP_PACKAGE_DUMP` names a file with the dump, for a machine on which these tests run without a
    /// toolchain.
    static let shared = Task<PackageDump, any Error> {
        if let file = ProcessInfo.processInfo.environment["SCHEDCP_PACKAGE_DUMP"] {
            return try PackageDump(json: Data(contentsOf: URL(fileURLWithPath: file)))
        }
        // A scratch folder of its own: the tests' own run holds the lock of the other.
        let scratch = try TemporaryFolder()
        let dump = try await Command.run(
            "/usr/bin/env",
            [
                "swift", "package", "--package-path", Checkout.root, "--scratch-path", scratch.path("build"),
                "dump-package",
            ])
        guard dump.status == 0 else { throw Lacking("swift package dump-package failed:\n\(dump.errors)") }
        return try PackageDump(json: Data(dump.output.utf8))
    }

    private init(json: Data) throws {
        let package = try JSONDecoder().decode(Package.self, from: json)
        var targets: [String: Target] = [:]
        for target in package.targets {
            let isTest = target.type == "test"
            targets[target.name] = Target(
                name: target.name, isTest: isTest, dependencies: Set(target.dependencies.compactMap(\.name)),
                path: target.path ?? (isTest ? "Tests/" : "Sources/") + target.name)
        }
        self.targets = targets
    }

    private struct Package: Decodable {
        struct Target: Decodable {
            let name: String
            let type: String
            let path: String?
            let dependencies: [Dependency]
        }

        /// `{"byName": ["Model", null]}` or `{"product": ["NIOCore", "swift-nio", null, null]}`.
        struct Dependency: Decodable {
            let name: String?

            init(from decoder: any Decoder) throws {
                let forms = try [String: [Anything]](from: decoder)
                name = forms.values.first?.first?.text
            }
        }

        struct Anything: Decodable {
            let text: String?

            init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
        }

        let targets: [Target]
    }
}
