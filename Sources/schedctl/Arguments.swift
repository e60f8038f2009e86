import ArgumentParser
import Foundation
import Linux
import Model
import Wire

/// A scheduler with its arguments, as deploy and attest take them.
struct SchedulerArguments: ParsableArguments {
    @Argument(
        help: ArgumentHelp("A scheduler's name, or an object file.", valueName: "name|file"),
        completion: .custom(RepositoryCompletion.names))
    var scheduler: String
    @Option(name: .shortAndLong, help: ArgumentHelp("Set a parameter; may be repeated.", valueName: "name=value"))
    var param: [String] = []
    @Option(
        help: ArgumentHelp(
            "Say how much CPU time a process or cgroup will need; may be repeated.",
            valueName: "process:NAME=TIME|cgroup:PATH=TIME"))
    var hint: [String] = []

    /// What was given, in the messages of the wire. Throws what is wrong with it.
    func read() throws(Failure) -> WireDeployRequest {
        var request = WireDeployRequest()
        request.source = try source()
        for text in param { request.parameters.append(WireSetting(try Self.setting(text))) }
        for text in hint { request.hints.append(WireHint(try Self.hint(text))) }
        return request
    }

    private func source() throws(Failure) -> WireDeployRequest.OneOf_Source {
        guard scheduler.contains("/") || scheduler.hasSuffix(".o") else { return .name(scheduler) }
        return .object(Data(try SmallFile.read(scheduler, limit: 64 << 20, what: "a scheduler")))
    }

    /// - Parameter option: as it was given, for the error.
    static func setting(_ text: String, of option: String = "--param") throws(Failure) -> Setting {
        guard let equals = text.firstIndex(of: "=") else {
            throw Failure(.invalidArgument, "\(option) \(text.quotedForDisplay()) is not of the form name=value")
        }
        return Setting(name: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
    }

    static func hint(_ text: String) throws(Failure) -> Hint {
        guard let colon = text.firstIndex(of: ":"), let equals = text.lastIndex(of: "="), colon < equals,
            let kind = Hint.Kind(rawValue: String(text[..<colon]))
        else {
            throw Failure(
                .invalidArgument, "--hint \(text.quotedForDisplay()) is not a hint",
                hint: "write process:NAME=TIME or cgroup:PATH=TIME, for example process:encoder=40s")
        }
        let key = String(text[text.index(after: colon)..<equals])
        let time = try DurationText.parse(String(text[text.index(after: equals)...]))
        return try Hint(kind: kind, key: key, nanoseconds: time)
    }
}

/// Files that are named on the command line.
enum SmallFile {
    static func read(_ path: String, limit: Int, what: String) throws(Failure) -> [UInt8] {
        do throws(SystemError) { return try TextFile.readBytes(path, limit: limit) } catch {
            let name = path.quotedForDisplay(limit: 200)
            switch error.code {
            case EFBIG:
                let size = "\(limit >> 10) KiB"
                throw Failure(.malformedObject, "the file \(name) is too large for \(what): at most \(size) are read")
            case ENOENT:
                throw Failure(
                    .notFound, "there is no file \(name)",
                    hint: "a name of the repository has no slash; see `schedctl list`")
            case EISDIR:
                throw Failure(.notFound, "\(name) is a folder, not \(what)")
            default:
                throw Failure(.notFound, "the file \(name) cannot be read: \(error.reason)")
            }
        }
    }
}
