import ArgumentParser
import Attestation
import Linux
import Logging
import Model
import Verifier

/// Takes the jobs of other machines: many at a time over one byte stream, turn by turn between their users.
///
/// Each job is a process of its own (`schedcp-verify job`), as under systemd: what crashes, hangs or eats memory over one candidate
/// is ended without the others noticing, and nothing that reads a candidate ever holds the key or the stream.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Take the jobs of other machines.",
        discussion: """
            EXAMPLES:
              schedcp-verify serve --stream vm/org.schedcp.verify.sock --kernel vmlinuz
              schedcp-verify serve --stream /dev/ttyS1
              schedcp-verify serve --listen /run/verify.sock --jobs 4
              sleep 1h | schedcp-verify serve --stream vm/org.schedcp.verify.sock --until-input-ends
            """)
    @Option(help: ArgumentHelp("A device, or the Unix socket behind one; opened anew when it ends.", valueName: "path"))
    var stream: String?
    @Option(help: ArgumentHelp("A Unix socket to make.", valueName: "path")) var listen: String?
    @Option(help: ArgumentHelp("The file of the key (default: key.json in the state folder).", valueName: "path"))
    var key: String?
    @Option(help: "How many jobs run at a time.") var jobs = 1
    @Flag(help: "End when standard input does: with the program that holds its other end, whatever becomes of that.")
    var untilInputEnds = false
    @OptionGroup var options: VerifyOptions

    func validate() throws {
        guard (stream == nil) != (listen == nil) else { throw ValidationError("give --stream or --listen") }
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs is from 1 to 64") }
    }

    func run() async throws {
        ThisProcess.ignore(.pipe)
        let logger = options.logger()
        do throws(Failure) {
            let host = JobHost(
                key: try KeyFile.open(key ?? options.stateFolder + "/key.json"), arguments: childArguments, jobs: jobs,
                logger: logger)
            if untilInputEnds { try Self.exitWithInput() }
            if let stream { await serve(stream: stream, host, logger) }
            if let listen { try await serve(socket: listen, host, logger) }
        } catch {
            logger.critical("\(error)")
            throw ExitCode(1)
        }
    }

    /// The jobs' processes end with us, for their inputs then end as well.
    private static func exitWithInput() throws(Failure) {
        let input: SharedDescriptor
        do throws(SystemError) { input = SharedDescriptor(try Descriptor.duplicating(0)) } catch {
            throw error.asFailure(.storage)
        }
        FrameInput.queue("life") {
            while (try? StreamDevice.read(input.raw, limit: 4096)) != nil {}
            ThisProcess.exit(0)
        }
    }

    private var childArguments: [String] {
        ["job", "--state", options.stateFolder, "--log-level", options.logLevel.rawValue]
            + options.kernel.flatMap { ["--kernel", $0] }
    }

    /// For ever: the machine at the other end may restart, and so may this program.
    private func serve(stream path: String, _ host: JobHost, _ logger: Logger) async {
        var hasComplained = false
        while !Task.isCancelled {
            do throws(SystemError) {
                let descriptor: SharedDescriptor
                switch StreamDevice.kind(path) {
                case .device: descriptor = SharedDescriptor(try StreamDevice.open(path))
                case .socket: descriptor = SharedDescriptor(try StreamDevice.connect(path))
                case nil: throw SystemError("open \(path)", code: 2)
                }
                hasComplained = false
                logger.notice("serving \(path)")
                await ServeSession(descriptor, isStuffed: true, host, logger).run()
            } catch {
                // A machine that is not up yet is waited for.
                if !hasComplained { logger.notice("waiting for \(path): \(error)") }
                hasComplained = true
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    private func serve(socket path: String, _ host: JobHost, _ logger: Logger) async throws(Failure) {
        let clients: AsyncStream<SharedDescriptor>
        do throws(SystemError) { clients = try Self.clients(of: path) } catch { throw error.asFailure(.storage) }
        logger.notice("listening at \(path)")
        await withDiscardingTaskGroup { group in
            for await client in clients {
                group.addTask { await ServeSession(client, isStuffed: false, host, logger).run() }
            }
        }
    }

    private static func clients(of path: String) throws(SystemError) -> AsyncStream<SharedDescriptor> {
        let listening = SharedDescriptor(try StreamDevice.listen(path))
        return AsyncStream { continuation in
            FrameInput.queue("accept") {
                while let client = try? StreamDevice.accept(listening.raw) {
                    if case .terminated = continuation.yield(SharedDescriptor(client)) { return }
                }
                continuation.finish()
            }
        }
    }
}
