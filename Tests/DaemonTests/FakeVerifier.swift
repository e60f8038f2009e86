import Attestation
import Dispatch
import Foundation
import Linux
import Model
import Synchronization
import TestSupport
import Wire

/// A verifier that says what a test wants, over a Unix socket. Every conversation runs on a thread of its own.
final class FakeVerifier: Sendable {
    /// What one job's conversation can do.
    final class Conversation: Sendable {
        let socket: SharedDescriptor
        let isStuffed: Bool

        init(_ socket: SharedDescriptor, _ isStuffed: Bool) {
            self.socket = socket
            self.isStuffed = isStuffed
        }

        func send(_ bytes: [UInt8]) { _ = try? StreamDevice.write(socket.raw, bytes, seconds: 5) }

        func send(_ response: WireVerifierResponse) {
            guard let bytes = try? VerifierFrame.bytes(of: response) else { return }
            send(isStuffed ? Stuffing.encode(bytes) : bytes)
        }

        func event(_ job: UInt64, _ change: (inout WireVerifyProgress) -> Void) {
            var response = WireVerifierResponse()
            response.event.job = job
            change(&response.event.progress)
            send(response)
        }

        func finish(_ finished: WireJobFinished) {
            var response = WireVerifierResponse()
            response.finished = finished
            send(response)
        }

        func close() { StreamDevice.end(socket.raw) }
    }

    typealias Behaviour = @Sendable (WireJobSubmit, Conversation) -> Void

    let path: String
    private let folder: TemporaryFolder
    private let listening: SharedDescriptor
    private let behaviour: Behaviour
    private let isStuffed: Bool
    private let greets: Bool
    private let seen = Mutex<[WireVerifierRequest]>([])

    init(isStuffed: Bool = false, greets: Bool = true, _ behaviour: @escaping Behaviour) throws {
        folder = try TemporaryFolder()
        path = folder.path("v.sock")
        listening = SharedDescriptor(try StreamDevice.listen(path))
        self.behaviour = behaviour
        self.isStuffed = isStuffed
        self.greets = greets
        let listening = listening
        DispatchQueue(label: "fake verifier").async { [weak self] in
            while let client = try? StreamDevice.accept(listening.raw) {
                let client = SharedDescriptor(client)
                guard let verifier = self else { return }
                DispatchQueue(label: "fake conversation").async { verifier.converse(client) }
            }
        }
    }

    deinit { StreamDevice.end(listening.raw) }

    /// What it was sent so far.
    var requests: [WireVerifierRequest] { seen.withLock { $0 } }

    private func converse(_ client: SharedDescriptor) {
        let conversation = Conversation(client, isStuffed)
        var decoder = VerifierStreamDecoder(isStuffed: isStuffed)
        while let bytes = try? StreamDevice.read(client.raw, limit: 65536), let pieces = try? decoder.decode(bytes) {
            for case .frame(let payload) in pieces {
                guard let request = try? Frame.decode(WireVerifierRequest.self, from: payload) else { return }
                seen.withLock { $0.append(request) }
                switch request.message {
                case .hello(let hello) where greets:
                    if isStuffed {
                        // What an earlier session left, and then a new one.
                        conversation.send([1, 2, 3, 0xDB, 0xDB, 7] + Stuffing.reset)
                    }
                    var response = WireVerifierResponse()
                    response.greeting.protocol = 1
                    response.greeting.version = "fake"
                    response.greeting.session = hello.session
                    conversation.send(response)
                case .submit(let submit): behaviour(submit, conversation)
                default: break
                }
            }
        }
    }

    // MARK: Reports

    static let object = [UInt8]((0..<200).map { UInt8($0) })

    /// What an honest verifier says of a candidate that passes everything.
    static func passed(_ submit: WireJobSubmit, _ change: (inout WireVerificationReport) -> Void = { _ in })
        -> WireJobFinished
    {
        var report = WireVerificationReport()
        let isSource = if case .code = submit.candidate { true } else { false }
        let bytes = isSource ? object : [UInt8](submit.object.code)
        report.artifactSha256 = ArtifactDigest.of(bytes)
        if isSource { report.object = Data(bytes) }
        report.kernel = submit.kernel
        report.stages = VerificationStage.allCases.filter { $0 != .simulate }.map { stage in
            WireStageResult(
                StageReport(stage, stage == .compile && !isSource ? .skipped : .passed, log: "log"),
                evidence: ArtifactDigest.of(Array(stage.rawValue.utf8)))
        }
        report.effort = submit.effort
        report.parameters = submit.parameters
        report.hints = submit.hints
        report.nonce = submit.nonce
        change(&report)
        var finished = WireJobFinished()
        finished.job = submit.job
        finished.report = report
        finished.cpuNanoseconds = 2_000_000_000
        return finished
    }

    /// Signs a report as a verifier of another machine does.
    static func sign(
        _ report: inout WireVerificationReport, _ submit: WireJobSubmit, with key: SigningKey,
        _ change: (inout AttestationClaims) -> Void = { _ in }
    ) throws {
        var claims = AttestationClaims(
            artifactName: "x", artifact: report.artifactSha256,
            stages: report.stages.map {
                AttestedStage(
                    name: $0.stage, verdict: $0.verdict == "passed" ? .passed : .skipped, evidence: $0.evidenceSha256)
            },
            arguments: try AttestedArguments(
                parameters: submit.parameters.map { Setting(name: $0.name, value: $0.value) },
                hints: try submit.hints.map { try $0.asHint() }),
            kernel: KernelIdentity(
                release: report.kernel.release, buildID: report.kernel.buildID, btfDigest: report.kernel.btfSha256),
            rulesDigest: submit.rulesSha256, verifier: VerifierIdentity(id: "fake", version: "1"),
            effort: Effort(rawValue: report.effort), issuedAt: 1, expiresAt: 2, nonce: submit.nonce)
        change(&claims)
        report.statement = Data(try Envelope.sign(claims, with: key))
    }

    /// The rules with this verifier in place of the shipped one.
    func rules(key: SigningKey? = nil) throws -> String {
        let line =
            try "verifier fake \(isStuffed ? "stream" : "socket") \(path)"
            + (key.map { " key " + (try VerifierKey(name: "", publicKey: $0.publicKey).text) } ?? "")
        return try Embedded.rules().replacingOccurrences(
            of: "verifier local socket /run/schedcp/verify.sock", with: line)
    }
}
