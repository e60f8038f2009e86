import Foundation
import Model
import Repository

/// The schedulers and primitives of this tree, taken into a repository as the daemon does it.
struct Library {
    let descriptions: String
    let objects: String

    func repository(in folder: String) async throws -> PolicyRepository {
        let installed = folder + "/installed"
        try FileManager.default.createDirectory(
            atPath: installed + "/" + Catalog.primitivesFolder, withIntermediateDirectories: true)
        try copy(descriptions, to: installed) { $0.hasSuffix(".toml") || $0.hasSuffix(".bpf.c") }
        try copy(objects, to: installed) { $0.hasSuffix(".bpf.o") }
        let primitives = descriptions + "/" + Catalog.primitivesFolder
        if FileManager.default.fileExists(atPath: primitives) {
            try copy(primitives, to: installed + "/" + Catalog.primitivesFolder) { _ in true }
        }
        let catalog = Catalog.read(folder: installed)
        let now = Int64(Date().timeIntervalSince1970 * 1e9)
        let (repository, _) = try PolicyRepository.open(folder + "/repository", at: now)
        let report = try await repository.takeIn(catalog, at: now)
        let problems = catalog.problems + report.problems
        guard problems.isEmpty else {
            throw Failure(.invalidArgument, "the library cannot be read", detail: problems.joined(separator: "\n"))
        }
        return repository
    }

    private func copy(_ folder: String, to target: String, where isWanted: (String) -> Bool) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where isWanted(name) {
            try FileManager.default.copyItem(atPath: folder + "/" + name, toPath: target + "/" + name)
        }
    }
}
