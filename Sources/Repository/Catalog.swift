// Repository: the scheduler policies that this machine has, their objects by digest, and the history of deployments in
// SQLite. It runs inside schedcpd, reads the installed folder at start and on SIGHUP, and writes only below its own state
// folder. Calls may block on the disk; the database serialises itself.

package import Model

/// The installed schedulers: for each NAME.toml in the folder, the description, and the object it names.
package struct Catalog: Sendable {
    package let policies: [SchedulerName: SchedulerPolicy]
    /// Files that were left out, and why: one line each.
    package let problems: [String]
    private let objects: [SchedulerName: [UInt8]]

    package static let empty = Catalog(policies: [:], problems: [], objects: [:])
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
        var problems: [String] = []
        let names: [String]
        do { names = try InstalledFolder.metadataNames(folder, limit: maxEntries) } catch {
            return Catalog(policies: [:], problems: [error.message], objects: [:])
        }
        for name in names {
            do throws(Failure) {
                let text = try InstalledFolder.text(folder, name, limit: maxMetadataBytes)
                let metadata = try PolicyMetadata(toml: text)
                let object = try InstalledFolder.bytes(folder, metadata.objectFile, limit: maxObjectBytes)
                let policy = try metadata.policy(artifact: ArtifactStore.digest(object))
                guard policy.name.text + ".toml" == name else {
                    throw Failure(.invalidArgument, "it describes '\(policy.name)', and its file must be named so")
                }
                policies[policy.name] = policy
                objects[policy.name] = object
            } catch { problems.append("\(name): \(error.message)") }
        }
        return Catalog(policies: policies, problems: problems, objects: objects)
    }

    package var sorted: [SchedulerPolicy] { policies.values.sorted { $0.name.text < $1.name.text } }

    /// An entry and its object's bytes, as they were when the folder was read.
    package func entry(_ name: SchedulerName) throws(Failure) -> (policy: SchedulerPolicy, object: [UInt8]) {
        guard let policy = policies[name], let object = objects[name] else {
            let known = sorted.map(\.name.text).joined(separator: ", ")
            throw Failure(
                .notFound, "there is no scheduler '\(name)' in the repository",
                hint: known.isEmpty ? "it is empty: is SchedCP installed completely?" : "there are: \(known)")
        }
        return (policy, object)
    }
}
