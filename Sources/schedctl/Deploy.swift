import ArgumentParser
import Client
import Foundation
import Model
import Wire

struct Deploy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a scheduler the machine's.",
        discussion: """
            NAME is an entry of the repository (schedctl list). Root may also give an object FILE (a path with a slash or
            ending in .o). One that SchedCP deployed before is replaced; if the new one fails to attach, it is put back.

            EXAMPLES:
              schedctl deploy vtime
              schedctl deploy fifo --param slice_us=3000
              schedctl deploy ljf --hint process:encoder=40s --hint process:lint=500ms
              schedctl deploy ljf --hint cgroup:system.slice/batch.service=10m
              sudo schedctl deploy ./mine.bpf.o --param slice_ns=5000000
            """)

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
    @Flag(help: "Replace a scheduler that another program loaded.")
    var takeover = false
    @OptionGroup var options: CommonOptions

    func run() async throws {
        var request = WireDeployRequest()
        do throws(Failure) {
            request.source = try source()
            for text in param { request.parameters.append(try Self.setting(text)) }
            for text in hint { request.hints.append(try Self.hint(text)) }
        } catch {
            options.report(error)
            throw ExitCode(64)
        }
        request.takeover = takeover
        try await options.run { [request] client throws(Failure) in
            if case .object(let bytes) = request.source, bytes.count > Int(client.greeting.limits.maxObjectBytes) {
                throw Failure(
                    .malformedObject,
                    "the object is larger than schedcpd takes (\(client.greeting.limits.maxObjectBytes) bytes)")
            }
            if case .object(let bytes) = request.source, bytes.count >= Int(client.greeting.limits.maxFrameBytes) {
                throw Failure(
                    .denied, "only root may deploy an object file at this stage",
                    hint: "deploy a scheduler of the repository by name, or use sudo")
            }
            let result: WireResponse.OneOf_Result
            do throws(Failure) {
                result = try await client.call(.deploy(request)) { Terminal.progress($0) }
                Terminal.endProgress()
            } catch {
                Terminal.endProgress()
                throw error
            }
            guard case .deployment(let deployment) = result else { throw Failure(.internal, "unexpected answer") }
            if options.json { return options.printJSON(deployment) }
            print(
                "\(Terminal.styled(Terminal.safe(deployment.ops), .bold)) is the machine's scheduler (deployment \(deployment.id))"
            )
        }
    }

    private func source() throws(Failure) -> WireDeployRequest.OneOf_Source {
        guard scheduler.contains("/") || scheduler.hasSuffix(".o") else { return .name(scheduler) }
        do {
            let bytes = try Data(contentsOf: URL(filePath: scheduler), options: .mappedIfSafe)
            guard bytes.count <= 64 << 20 else {
                throw Failure(.malformedObject, "\(scheduler) is too large for a scheduler")
            }
            return .object(bytes)
        } catch let failure as Failure { throw failure } catch {
            throw Failure(
                .notFound, "the file \(scheduler.quotedForDisplay(limit: 200)) cannot be read",
                hint: "a name of the repository has no slash; see `schedctl list`")
        }
    }

    private static func setting(_ text: String) throws(Failure) -> WireSetting {
        guard let equals = text.firstIndex(of: "=") else {
            throw Failure(.invalidArgument, "--param \(text.quotedForDisplay()) is not of the form name=value")
        }
        return WireSetting(Setting(name: String(text[..<equals]), value: String(text[text.index(after: equals)...])))
    }

    private static func hint(_ text: String) throws(Failure) -> WireHint {
        guard let colon = text.firstIndex(of: ":"), let equals = text.lastIndex(of: "="), colon < equals,
            let kind = Hint.Kind(rawValue: String(text[..<colon]))
        else {
            throw Failure(
                .invalidArgument, "--hint \(text.quotedForDisplay()) is not a hint",
                hint: "write process:NAME=TIME or cgroup:PATH=TIME, for example process:encoder=40s")
        }
        let key = String(text[text.index(after: colon)..<equals])
        let time = try DurationText.parse(String(text[text.index(after: equals)...]))
        return WireHint(try Hint(kind: kind, key: key, nanoseconds: time))
    }
}
