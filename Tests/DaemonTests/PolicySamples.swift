import Attestation
import Foundation
import Linux
import Model
import Repository
import SwiftProtobuf
import TestSupport
import Wire

/// Schedulers to fill a repository with; nothing loads their objects.
enum PolicySamples {
    static func object(_ name: String) -> [UInt8] { Array("the object of \(name)".utf8) }

    /// The descriptions that are shipped, beside objects of no use, and the primitives.
    static func installed(_ names: [String] = ["fifo", "vtime", "ljf"]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.makeFolder("schedulers/primitives")
        for name in names {
            try folder.copy("\(Checkout.root)/bpf/\(name).toml", to: "schedulers/\(name).toml")
            try folder.copy("\(Checkout.root)/bpf/\(name).bpf.c", to: "schedulers/\(name).bpf.c")
            try folder.write(object(name), to: "schedulers/\(name).bpf.o")
        }
        for file in try FileManager.default.contentsOfDirectory(atPath: Checkout.root + "/bpf/primitives") {
            try folder.copy("\(Checkout.root)/bpf/primitives/\(file)", to: "schedulers/primitives/\(file)")
        }
        return folder
    }

    static func entry(_ key: String, change: (inout PolicyEntry) -> Void = { _ in }) throws -> PolicyEntry {
        var entry = PolicyEntry(
            key: try EntryKey(key), summary: "a scheduler from elsewhere", description: "what it does",
            algorithm: "a queue", license: "GPL-2.0-only", targetWorkloads: ["batches of jobs"],
            targets: [Target(workloadClass: "batch", metric: "makespan")], features: ["topology.llc"],
            kernelMinimum: "6.12", artifact: ArtifactDigest.of(object(key)),
            provenance: Provenance(.agent, maker: "an agent elsewhere"))
        change(&entry)
        return entry
    }

    static func claims(_ entry: PolicyEntry) throws -> AttestationClaims {
        let now = Clock.realtime() / 1_000_000_000
        return AttestationClaims(
            artifactName: entry.key.name.text, artifact: entry.artifact,
            stages: ["compile", "static", "kernel", "dynamic"].map {
                AttestedStage(name: $0, verdict: .passed, evidence: ArtifactDigest.of([]))
            }, arguments: try AttestedArguments(parameters: []),
            kernel: KernelIdentity(
                release: "7.3.4", buildID: String(repeating: "ab", count: 20), btfDigest: ArtifactDigest.of([])),
            rulesDigest: ArtifactDigest.of([]), verifier: VerifierIdentity(id: "elsewhere", version: "1"),
            effort: .full, issuedAt: now - 100_000, expiresAt: now - 50_000)
    }

    /// With what a bundle says beside it.
    static func attestation(
        of entry: PolicyEntry, by key: SigningKey, change: (inout AttestationClaims) -> Void = { _ in }
    ) throws -> EntryAttestation {
        var claims = try claims(entry)
        change(&claims)
        let envelope = try Envelope.sign(claims, with: key)
        return EntryAttestation(
            entry: entry.key, digest: ArtifactDigest.of(envelope), envelope: envelope, artifact: entry.artifact,
            keyID: key.keyID, verifier: "elsewhere 1", effort: .full,
            passedStages: claims.stages.map(\.name), kernel: claims.kernel.release, issuedAt: claims.issuedAt)
    }

    static func outcome(_ id: String, of entry: PolicyEntry, trial: String = "t") -> Outcome {
        Outcome(
            id: id, entry: entry.key, artifact: entry.artifact,
            workload: WorkloadProfile(workloadClass: "batch", features: ["tasks": 40]),
            machine: MachineShape(architecture: "x86_64", cpus: 8), kernel: "7.3.4",
            effect: Effect(metric: "makespan", better: .lower, ratio: 0.7, low: 0.65, high: 0.75, runs: 10),
            origin: .lab, trial: trial, measuredBy: "the lab", measuredAt: 5)
    }

    static func importing(
        _ bundle: PolicyBundle, object: [UInt8]? = nil
    ) throws -> WireRequest.OneOf_Operation {
        try importing(bundle.json(), object: object ?? PolicySamples.object("\(bundle.entry.key)"))
    }

    static func importing(_ policy: [UInt8], object: [UInt8]) -> WireRequest.OneOf_Operation {
        .entryImport(
            .with {
                $0.bundle.policy = Data(policy)
                $0.bundle.object = Data(object)
                $0.source = "a file"
            })
    }
}

extension Embedded {
    /// The failure of a request that has to fail.
    static func refusal(
        _ actor: Model.Actor, _ backend: Backend, _ operation: WireRequest.OneOf_Operation
    ) async throws -> Failure {
        let answer = try await ask(actor, backend, operation)
        guard case .failure(let failure) = answer.result else { throw Lacking("it was not refused: \(answer)") }
        return failure.asFailure
    }

    /// The answer of a request that has to succeed.
    static func answer(
        _ actor: Model.Actor, _ backend: Backend, _ operation: WireRequest.OneOf_Operation
    ) async throws -> WireResponse {
        let answer = try await ask(actor, backend, operation)
        if case .failure(let failure) = answer.result { throw Lacking("refused: \(failure.asFailure)") }
        return answer
    }

    static func entry(_ key: String, _ backend: Backend) async throws -> WireEntryReply {
        try await answer(ordinary, backend, .entry(.with { $0.key = key })).entry
    }

    static func entries(_ backend: Backend) async throws -> [String] {
        try await answer(ordinary, backend, .entries(.with { $0.filter.allVersions = true })).entries.entries.map {
            "\($0.name)@\($0.version)"
        }
    }
}
