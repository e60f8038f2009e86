import ArgumentParser
import Client
import Linux
import Model
import SwiftProtobuf
import Wire

/// What every command that talks to the daemon takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print JSON (protobuf's mapping of the messages in schedcp.proto; an absent field has its default).")
    var json = false
    @Option(help: ArgumentHelp("The daemon's socket.", valueName: "path"), completion: .file())
    var socket = SchedClient.defaultPath

    /// What is wrong with the arguments is wrong usage.
    func reading<R>(_ body: () throws(Failure) -> R) throws -> R {
        do { return try body() } catch {
            report(error)
            throw ExitCode(64)
        }
    }

    /// Connects, runs, and turns failures into messages and exit statuses.
    func run(_ body: (SchedClient) async throws(Failure) -> Void) async throws {
        let client: SchedClient
        do { client = try await SchedClient.connect(path: socket, name: "schedctl") } catch {
            report(error)
            throw ExitCode(error.code == .notFound ? 2 : error.exitStatus)
        }
        do { try await body(client) } catch {
            report(error)
            throw ExitCode(error.exitStatus)
        }
        await client.close()
    }

    func report(_ failure: Failure) {
        if json {
            printJSON(WireFailure(failure))
        } else {
            Terminal.complain(failure)
        }
    }

    func printJSON(_ message: some Message) {
        let text = Self.json(message)
        if !text.isEmpty { print(text) }
    }

    /// Empty where the message cannot be encoded.
    static func json(_ message: some Message) -> String {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        options.alwaysPrintInt64sAsNumbers = true
        return (try? message.jsonString(options: options)) ?? ""
    }
}
