import ArgumentParser
import Client
import Foundation
import Model
import Wire

struct Deploy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a scheduler the machine's.",
        discussion: """
            NAME is an entry of the repository (schedctl list); FILE an object file (a path with a slash or ending in .o).
            Nothing is deployed without an attestation that this artifact, with these arguments, was verified for this
            kernel; one is asked for where none is given. A scheduler that SchedCP deployed before is replaced; if the new
            one fails to attach, it is put back.

            EXAMPLES:
              schedctl deploy vtime
              schedctl deploy fifo --param slice_us=3000
              schedctl deploy ljf --hint process:encoder=40s --hint process:lint=500ms
              schedctl deploy ljf --hint cgroup:system.slice/batch.service=10m
              schedctl deploy ./mine.bpf.o --attestation mine.intoto.json
              sudo schedctl deploy ./mine.bpf.o --unverified --reason 'trying a fix on a test machine'
            """)

    @OptionGroup var what: SchedulerArguments
    @Flag(help: "Replace a scheduler that another program loaded.")
    var takeover = false
    @Option(
        help: ArgumentHelp(
            "Use this attestation (schedctl attest issue); without it, one is asked for.", valueName: "file"),
        completion: .file())
    var attestation: String?
    @Flag(help: "Do without an attestation, where the access rules permit it to you. Needs --reason.")
    var unverified = false
    @Option(help: "Why it is not verified, for the audit.")
    var reason: String?
    @OptionGroup var options: CommonOptions

    func run() async throws {
        var request: WireDeployRequest
        do throws(Failure) {
            request = try what.read()
            request.takeover = takeover
            try authorise(&request)
        } catch {
            options.report(error)
            throw ExitCode(64)
        }
        try await options.run { [request] client throws(Failure) in
            var request = request
            try Self.checkSize(request, client.greeting.limits)
            if !request.unverified && request.attestation.isEmpty {
                request.attestation = try await Attest.issue(request, with: client).envelope
            }
            let result = try await Terminal.withProgress { progress throws(Failure) in
                try await client.call(.deploy(request), progress: progress)
            }
            guard case .deployment(let deployment) = result else { throw SchedClient.unexpected(result) }
            if options.json { return options.printJSON(deployment) }
            print(
                "\(Terminal.styled(Terminal.safe(deployment.ops), .bold)) is the machine's scheduler (deployment \(deployment.id))"
            )
        }
    }

    private func authorise(_ request: inout WireDeployRequest) throws(Failure) {
        request.unverified = unverified
        request.reason = reason ?? ""
        if unverified && (reason ?? "").isEmpty {
            throw Failure(
                .invalidArgument, "--unverified needs a --reason",
                hint: "it stands in the audit: --reason 'trying a fix'")
        }
        if unverified && attestation != nil {
            throw Failure(.invalidArgument, "--unverified and --attestation exclude each other")
        }
        if !unverified && reason != nil {
            throw Failure(.invalidArgument, "--reason is for --unverified")
        }
        if let attestation {
            request.attestation = Data(try SmallFile.read(attestation, limit: 1 << 20, what: "an attestation"))
        }
    }

    static func checkSize(_ request: WireDeployRequest, _ limits: WireLimits) throws(Failure) {
        guard case .object(let bytes) = request.source else { return }
        guard limits.maxObjectBytes > 0 else {
            throw Failure(
                .denied, "the access rules do not let you send an object file",
                hint: "deploy a scheduler of the repository by name; see `schedctl whoami`")
        }
        guard bytes.count <= Int(limits.maxObjectBytes) else {
            throw Failure(
                .malformedObject, "the object is larger than schedcpd takes from you (\(limits.maxObjectBytes) bytes)")
        }
    }
}
