// RegistrySupport: an entry to exchange, and a registry that misbehaves as a test tells it to.

package import Attestation
package import Exchange
package import Model
package import Repository
import TestSupport

/// A bundle as the repository writes it, with a signed attestation and an outcome.
package struct SampleEntry: Sendable {
    package static let signer = SigningKey()

    package var bundle: PolicyBundle
    package var object: [UInt8]

    /// - Parameter seed: other ones have other sources, objects and texts.
    package init(_ key: String = "fifo@1.0.0", seed: UInt64 = 1, attestations: Int = 1) throws {
        var random = Seeded(seed)
        let key = try EntryKey(key)
        object = random.bytes(500 + random.below(3000))
        let entry = PolicyEntry(
            key: key, summary: "first in, first out", description: "one queue \(Self.text(&random, 24))",
            algorithm: "a queue",
            license: "GPL-2.0-only", targets: [Target(workloadClass: "batch", metric: "makespan")],
            parameters: [
                try ParameterSpec(
                    name: "slice_us", type: .u32, defaultValue: 20_000, range: 1000...1_000_000, unit: "us",
                    description: "how long")
            ], kernelMinimum: "6.12",
            source: SourceText(file: "\(key.name).bpf.c", text: "/* \(Self.text(&random, 200)) */\nint x;\n"),
            artifact: ArtifactDigest.of(object), provenance: Provenance(.person, maker: "ann"))
        bundle = PolicyBundle(entry: entry, attestations: [], outcomes: [])
        for number in 0..<attestations {
            bundle.attestations.append(try Self.attestation(of: entry, number: number, signer: Self.signer))
        }
        bundle.outcomes = [
            Outcome(
                id: "one", entry: key, artifact: entry.artifact,
                workload: WorkloadProfile(workloadClass: "batch", features: ["tasks": 40.25]),
                machine: MachineShape(architecture: "x86_64", cpus: 8), kernel: "7.3.4",
                effect: Effect(metric: "makespan", better: .lower, ratio: 0.7, low: 0.65, high: 0.75, runs: 10),
                origin: .lab, trial: "t", measuredBy: "the lab", measuredAt: 1_790_000_000_000_000_000)
        ]
    }

    /// Any text that an entry may have.
    private static func text(_ random: inout Seeded, _ limit: Int) -> String {
        String(String.UnicodeScalarView(random.text(limit).unicodeScalars.filter { $0 != "\0" }))
    }

    package static func attestation(
        of entry: PolicyEntry, number: Int, signer: SigningKey
    ) throws -> EntryAttestation {
        let stages = ["compile", "static", "kernel", "dynamic"]
        let digest = String(repeating: "c3", count: 32)
        let claims = AttestationClaims(
            artifactName: entry.key.name.text, artifact: entry.artifact,
            stages: stages.map { AttestedStage(name: $0, verdict: .passed, evidence: digest) },
            arguments: try AttestedArguments(),
            kernel: KernelIdentity(release: "7.3.4", buildID: "0badcafe", btfDigest: digest), rulesDigest: digest,
            verifier: VerifierIdentity(id: "schedcpd", version: "1"), effort: .full,
            issuedAt: 1_780_000_000 + Int64(number),
            expiresAt: 1_780_086_400 + Int64(number))
        let envelope = try Envelope.sign(claims, with: signer)
        return EntryAttestation(
            entry: entry.key, digest: ArtifactDigest.of(envelope), envelope: envelope, artifact: entry.artifact,
            keyID: signer.keyID, verifier: "schedcpd", effort: .full, passedStages: stages, kernel: "7.3.4",
            issuedAt: claims.issuedAt)
    }

    /// With another object, and what is said of it said of that.
    package func with(object: [UInt8], signer: SigningKey = Self.signer) throws -> SampleEntry {
        var changed = self
        changed.object = object
        changed.bundle.entry.artifact = ArtifactDigest.of(object)
        for index in changed.bundle.outcomes.indices {
            changed.bundle.outcomes[index].artifact = changed.bundle.entry.artifact
        }
        for index in changed.bundle.attestations.indices {
            changed.bundle.attestations[index] = try Self.attestation(
                of: changed.bundle.entry, number: index, signer: signer)
        }
        return changed
    }

    /// A header to compose schedulers of.
    package static func primitive(_ key: String = "idle-pick@1.0.0") throws -> SampleEntry {
        var sample = try SampleEntry(key, attestations: 0)
        sample.object = []
        sample.bundle.entry.kind = .primitive
        let source = SourceText(file: "idle-pick.bpf.h", text: "static int pick(void);\n")
        sample.bundle.entry.source = source
        sample.bundle.entry.artifact = ArtifactDigest.of(Array(source.text.utf8))
        sample.bundle.outcomes = []
        return sample
    }

    package func travelling() throws -> TravellingEntry {
        try TravellingEntry(policy: try bundle.json(), object: object)
    }
}
