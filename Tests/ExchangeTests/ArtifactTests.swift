import Attestation
import Exchange
import Foundation
import Model
import RegistrySupport
import Repository
import TestSupport
import Testing

/// An entry becomes a manifest with blobs, and an entry again.
@Suite(.timeLimit(.minutes(10))) struct ArtifactTests {
    private static func fetched(_ artifact: EntryArtifact) -> [Digest: [UInt8]] {
        Dictionary(artifact.blobs.map { ($0.descriptor.digest, $0.bytes) }, uniquingKeysWith: { $1 })
    }

    private static func failure(_ body: () throws -> Void) -> Failure? {
        do {
            try body()
            return nil
        } catch { return error as? Failure }
    }

    @Test(arguments: 1...20) func everyEntryComesBackAsItWas(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let sample = try SampleEntry("p\(seed)@1.\(seed).0", seed: seed, attestations: random.below(5))
        let artifact = try EntryArtifact(try sample.travelling())
        let back = try EntryManifest(artifact.manifest).entry(Self.fetched(artifact))
        #expect(back.policy == (try sample.bundle.json()))
        #expect(try PolicyBundle(json: back.policy) == sample.bundle)
        #expect(back.object == sample.object)
        #expect(back.facts.key == sample.bundle.entry.key)
        #expect(back.facts.envelopes == sample.bundle.attestations.map(\.envelope))
        // The same once more, from a value that was built anew.
        let again = try EntryArtifact(try TravellingEntry(policy: try sample.bundle.json(), object: sample.object))
        #expect(again == artifact)
    }

    @Test func aPrimitiveHasNoObject() throws {
        let sample = try SampleEntry.primitive()
        let artifact = try EntryArtifact(try sample.travelling())
        let manifest = try EntryManifest(artifact.manifest)
        #expect(manifest.object == nil && manifest.source != nil && manifest.attestations.isEmpty)
        #expect(try manifest.entry(Self.fetched(artifact)).facts.kind == .primitive)
    }

    @Test func theManifestIsWhatOthersExpect() throws {
        let sample = try SampleEntry(attestations: 2)
        let artifact = try EntryArtifact(try sample.travelling())
        let json = try #require(JSONSerialization.jsonObject(with: Data(artifact.manifest)) as? [String: Any])
        #expect(json["schemaVersion"] as? Int == 2)
        #expect(json["mediaType"] as? String == "application/vnd.oci.image.manifest.v1+json")
        #expect(json["artifactType"] as? String == "application/vnd.schedcp.policy.v1")
        let config = json["config"] as? [String: Any]
        #expect(config?["mediaType"] as? String == "application/vnd.oci.empty.v1+json")
        // Of `{}`, as the image specification has it.
        #expect(
            config?["digest"] as? String == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
        #expect(config?["size"] as? Int == 2)
        let layers = try #require(json["layers"] as? [[String: Any]])
        #expect(
            layers.compactMap { $0["mediaType"] as? String } == [
                "application/vnd.schedcp.policy.v1+json", "application/vnd.schedcp.object.v1",
                "application/vnd.schedcp.source.v1", "application/vnd.dsse.envelope.v1+json",
                "application/vnd.dsse.envelope.v1+json",
            ])
        let titles = layers.compactMap {
            ($0["annotations"] as? [String: String])?["org.opencontainers.image.title"]
        }
        #expect(
            titles == ["fifo.policy.json", "fifo.bpf.o", "fifo.bpf.c", "fifo.1.intoto.json", "fifo.2.intoto.json"])
        let annotations = json["annotations"] as? [String: String]
        #expect(annotations?["org.opencontainers.image.title"] == "fifo")
        #expect(annotations?["org.opencontainers.image.version"] == "1.0.0")
        #expect(annotations?["org.opencontainers.image.licenses"] == "GPL-2.0-only")
        // Of the outcome, which is newer than the attestations.
        #expect(annotations?["org.opencontainers.image.created"] == UTC.text(1_790_000_000))
    }

    @Test func withoutEvidenceNothingIsSaidOfTheTime() throws {
        var sample = try SampleEntry(attestations: 0)
        sample.bundle.outcomes = []
        let artifact = try EntryArtifact(try sample.travelling())
        #expect(!String(decoding: artifact.manifest, as: UTF8.self).contains("image.created"))
    }

    @Test func whatDoesNotBelongTogetherIsRefused() throws {
        let sample = try SampleEntry()
        let policy = try sample.bundle.json()
        let cases: [(String, [UInt8], [UInt8])] = [
            ("is missing", policy, []), ("object is not that of", policy, sample.object + [0]),
            ("cannot be read", Array(policy.dropLast()), sample.object),
            ("is not a kind", try Self.replaced(policy, "\"scheduler\"", "\"kernel\""), sample.object),
            ("is a primitive", try Self.replaced(policy, "\"scheduler\"", "\"primitive\""), sample.object),
            ("not the name of a source", try Self.replaced(policy, "\"fifo.bpf.c\"", "\"../../x\""), sample.object),
            ("is not a version", try Self.replaced(policy, "\"1.0.0\"", "\"1.0\""), sample.object),
            ("scheduler's name", try Self.replaced(policy, "\"name\":\"fifo\"", "\"name\":\"../fifo\""), sample.object),
        ]
        for (words, policy, object) in cases {
            let failure = Self.failure { _ = try TravellingEntry(policy: policy, object: object) }
            #expect(failure?.message.contains(words) == true, "\(words): \(String(describing: failure))")
        }
        // An attestation that is another than its digest says, and one that is no envelope.
        var other = sample
        other.bundle.attestations[0].digest = String(repeating: "0", count: 64)
        #expect(Self.failure { _ = try other.travelling() }?.message.contains("not the one that it names") == true)
        other = sample
        other.bundle.attestations[0].envelope = Array("text".utf8)
        other.bundle.attestations[0].digest = ArtifactDigest.of(Array("text".utf8))
        #expect(Self.failure { _ = try other.travelling() }?.code == .denied)
        var primitive = try SampleEntry.primitive()
        primitive.bundle.entry.source?.text += " "
        #expect(Self.failure { _ = try primitive.travelling() }?.message.contains("text is not that") == true)
    }

    @Test func everyBlobIsChecked() throws {
        let artifact = try EntryArtifact(try SampleEntry().travelling())
        let manifest = try EntryManifest(artifact.manifest)
        for blob in manifest.blobs {
            var fetched = Self.fetched(artifact)
            fetched[blob.digest] = nil
            #expect(Self.failure { _ = try manifest.entry(fetched) }?.message.contains("missing") == true)
            fetched = Self.fetched(artifact)
            fetched[blob.digest]?[0] ^= 1
            #expect(Self.failure { _ = try manifest.entry(fetched) }?.message.contains("damaged") == true)
            fetched = Self.fetched(artifact)
            fetched[blob.digest]?.append(0)
            #expect(Self.failure { _ = try manifest.entry(fetched) }?.message.contains("announced") == true)
        }
    }

    /// Layers that are whole, but not those of the policy.
    @Test func layersOfAnotherEntryAreRefused() throws {
        let one = try EntryArtifact(try SampleEntry(seed: 1).travelling())
        let other = try EntryArtifact(try SampleEntry(seed: 2).travelling())
        for (mine, theirs) in zip(one.blobs, other.blobs) where mine != theirs {
            let text = String(decoding: one.manifest, as: UTF8.self)
                .replacingOccurrences(of: mine.descriptor.digest.hex, with: theirs.descriptor.digest.hex)
                .replacingOccurrences(
                    of: "\"size\":\(mine.descriptor.size)}", with: "\"size\":\(theirs.descriptor.size)}")
            let manifest = try EntryManifest(Array(text.utf8))
            var fetched = Self.fetched(one)
            fetched[theirs.descriptor.digest] = theirs.bytes
            let failure = Self.failure { _ = try manifest.entry(fetched) }
            #expect(failure != nil, "\(mine.descriptor.mediaType)")
        }
    }

    @Test func manifestsOfOtherFormsAreRefused() throws {
        let artifact = try EntryArtifact(try SampleEntry().travelling())
        let policy = artifact.blobs[1].descriptor
        let cases: [(String, String, String)] = [
            ("not an entry", "application/vnd.schedcp.policy.v1\"", "application/vnd.example\""),
            ("names no policy", "policy.v1+json", "policy.v2+json"),
            ("config", "oci.empty.v1+json", "oci.image.config.v1+json"),
            ("not a manifest", "\"schemaVersion\":2", "\"schemaVersion\":1"),
            ("not a manifest", "oci.image.manifest.v1+json", "docker.manifest"),
            ("2 layers", "application/vnd.schedcp.object.v1", "application/vnd.schedcp.policy.v1+json"),
            ("is none", "\"size\":\(policy.size)", "\"size\":-1"),
            ("more than", "\"size\":\(policy.size)", "\"size\":9223372036854775807"),
            ("cannot be read", "\"size\":\(policy.size)", "\"size\":1e400"),
            ("not a digest", "sha256:\(policy.digest.hex)", "sha512:\(policy.digest.hex)"),
            ("not a digest", "sha256:\(policy.digest.hex)", "sha256:../../../../etc/passwd"),
            ("not a digest", policy.digest.hex, policy.digest.hex.uppercased()),
        ]
        for (words, old, new) in cases {
            let bytes = try Self.replaced(artifact.manifest, old, new)
            let failure = Self.failure { _ = try EntryManifest(bytes) }
            #expect(failure?.message.contains(words) == true, "\(words): \(String(describing: failure))")
        }
        #expect(Self.failure { _ = try EntryManifest([UInt8](repeating: 0x5B, count: 200_000)) } != nil)
        #expect(Self.failure { _ = try EntryManifest([UInt8](repeating: 0x20, count: 1 << 20)) }?.code == .tooMany)
    }

    @Test func tooManyLayersAreRefusedAndUnknownOnesPassedOver() throws {
        let artifact = try EntryArtifact(try SampleEntry().travelling())
        let layer = #"{"digest":"sha256:\#(String(repeating: "0", count: 64))","mediaType":"text/x-note","size":1},"#
        for (count, isGood) in [(1, true), (100, true), (200, false)] {
            let bytes = try Self.replaced(
                artifact.manifest, "\"layers\":[", "\"layers\":[" + String(repeating: layer, count: count))
            let manifest = try? EntryManifest(bytes)
            #expect((manifest != nil) == isGood)
            guard let manifest else { continue }
            #expect(manifest.ignored == ["text/x-note"])
            #expect(try manifest.entry(Self.fetched(artifact)) == artifact.entry)
        }
        let attestation = layer.replacingOccurrences(of: "text/x-note", with: "application/vnd.dsse.envelope.v1+json")
        let bytes = try Self.replaced(
            artifact.manifest, "\"layers\":[", "\"layers\":[" + String(repeating: attestation, count: 64))
        #expect(Self.failure { _ = try EntryManifest(bytes) }?.code == .tooMany)
    }

    /// Whatever is changed of a manifest: it is refused, or what comes of it is the entry, whole.
    @Test(arguments: 1...4) func noChangedManifestGivesAnotherEntry(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let artifact = try EntryArtifact(try SampleEntry(seed: seed).travelling())
        let fetched = Self.fetched(artifact)
        for _ in 0..<500 {
            var bytes = artifact.manifest
            for _ in 0...random.below(3) {
                let place = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(bytes[random.below(bytes.count)], at: place)
                }
            }
            if let entry = try? EntryManifest(bytes).entry(fetched) { #expect(entry == artifact.entry) }
        }
    }

    static func replaced(_ bytes: [UInt8], _ old: String, _ new: String) throws -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        let range = try #require(text.range(of: old), "\(old) is not in it")
        return Array(text.replacingCharacters(in: range, with: new).utf8)
    }
}
