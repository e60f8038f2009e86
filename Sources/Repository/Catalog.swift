// Repository: the scheduler policies that this machine has, their objects by digest, and the history of deployments in
// SQLite. It runs inside schedcpd, reads the installed folder at start and on SIGHUP, and writes only below its own state
// folder. Calls may block on the disk; the database serialises itself.

package import Model

/// The installed schedulers and primitives: for each NAME.toml in the folder the description, and the object that it names;
/// for each NAME.toml in its folder `primitives` the description, and the header.
package struct Catalog: Sendable {
    package let policies: [SchedulerName: SchedulerPolicy]
    package private(set) var primitives: [SchedulerName: SchedulerPolicy] = [:]
    /// The text of each primitive, and of each scheduler whose source lies beside it.
    package private(set) var sources: [SchedulerName: SourceText] = [:]
    /// Files that were left out, and why: one line each.
    package private(set) var problems: [String]
    private let objects: [SchedulerName: [UInt8]]

    package static let empty = Catalog(policies: [:], problems: [], objects: [:])
    package static let primitivesFolder = "primitives"
    static let maxEntries = 1000
    static let maxMetadataBytes = 64 * 1024
    package static let maxObjectBytes = 8 << 20

    private init(policies: [SchedulerName: SchedulerPolicy], problems: [String], objects: [SchedulerName: [UInt8]]) {
        self.policies = policies
        self.problems = problems
        self.objects = objects
    }

    /// Reads a folder. One bad entry does not hide the others; it is named in `problems`.
    package static func read(folder: String) -> Catalog {
        var policies: [SchedulerName: SchedulerPolicy] = [:]
        var objects: [SchedulerName: [UInt8]] = [:]
        var sources: [SchedulerName: SourceText] = [:]
        var problems: [String] = []
        let names: [String]
        do { names = try InstalledFolder.metadataNames(folder, limit: maxEntries) } catch {
            return Catalog(policies: [:], problems: [error.message], objects: [:])
        }
        for name in names {
            do throws(Failure) {
                let (metadata, object) = try read(folder, name, .scheduler, limit: maxObjectBytes)
                let policy = try named(name, metadata.policy(artifact: ArtifactStore.digest(object)))
                if InstalledFolder.exists(folder, metadata.sourceFile) {
                    sources[policy.name] = try source(folder, metadata.sourceFile)
                }
                policies[policy.name] = policy
                objects[policy.name] = object
            } catch { problems.append("\(name): \(error.message)") }
        }
        var catalog = Catalog(policies: policies, problems: problems, objects: objects)
        catalog.sources = sources
        catalog.readPrimitives(folder + "/" + primitivesFolder)
        return catalog
    }

    /// Where there are none, there is no folder.
    private mutating func readPrimitives(_ folder: String) {
        for name in (try? InstalledFolder.metadataNames(folder, limit: Self.maxEntries)) ?? [] {
            do throws(Failure) {
                let limit = RepositoryLimits.sourceBytes
                let (metadata, header) = try Self.read(folder, name, .primitive, limit: limit)
                let policy = try Self.named(name, metadata.policy(artifact: ArtifactStore.digest(header)))
                guard policies[policy.name] == nil else {
                    throw Failure(.invalidArgument, "a scheduler has this name")
                }
                sources[policy.name] = try Self.source(folder, metadata.file)
                primitives[policy.name] = policy
            } catch { problems.append("\(Self.primitivesFolder)/\(name): \(error.message)") }
        }
    }

    private static func read(
        _ folder: String, _ name: String, _ kind: EntryKind, limit: Int
    ) throws(Failure) -> (PolicyMetadata, [UInt8]) {
        let text = try InstalledFolder.text(folder, name, limit: maxMetadataBytes)
        let metadata = try PolicyMetadata(toml: text, kind: kind)
        return (metadata, try InstalledFolder.bytes(folder, metadata.file, limit: limit))
    }

    private static func named(_ file: String, _ policy: SchedulerPolicy) throws(Failure) -> SchedulerPolicy {
        guard policy.name.text + ".toml" == file else {
            throw Failure(.invalidArgument, "it describes '\(policy.name)', and its file must be named so")
        }
        return policy
    }

    private static func source(_ folder: String, _ file: String) throws(Failure) -> SourceText {
        SourceText(file: file, text: try InstalledFolder.text(folder, file, limit: RepositoryLimits.sourceBytes))
    }

    package var sorted: [SchedulerPolicy] { policies.values.sorted { $0.name.text < $1.name.text } }

    /// An entry and its object's bytes, as they were when the folder was read.
    package func entry(_ name: SchedulerName) throws(Failure) -> (policy: SchedulerPolicy, object: [UInt8]) {
        guard let policy = policies[name], let object = objects[name] else {
            let known = sorted.map(\.name.text).joined(separator: ", ")
            throw Failure(
                .notFound, "no scheduler '\(name)' is installed",
                hint: known.isEmpty ? "none is: is SchedCP installed completely?" : "installed are: \(known)")
        }
        return (policy, object)
    }
}
