import Attestation
package import Model

/// An entry on its way: its policy and its object, which belong together.
package struct TravellingEntry: Hashable, Sendable {
    /// JSON of the entry, its attestations with their envelopes, and its outcomes.
    package let policy: [UInt8]
    /// Empty for a primitive.
    package let object: [UInt8]
    package let facts: PolicyFacts

    /// Refuses what does not hold together: an object that is not the policy's, a primitive whose text is another.
    package init(policy: [UInt8], object: [UInt8]) throws(Failure) {
        facts = try PolicyFacts(policy: policy)
        self.policy = policy
        self.object = object
        guard object.count <= ExchangeLimits.objectBytes else {
            throw Failure(.tooMany, "an object of \(object.count) bytes, more than \(ExchangeLimits.objectBytes)")
        }
        switch facts.kind {
        case .scheduler:
            guard !object.isEmpty else { throw Failure(.malformed, "the object of \(facts.key) is missing") }
            guard ArtifactDigest.of(object) == facts.artifact else {
                throw Failure(.malformed, "the object is not that of \(facts.key): its policy names \(facts.artifact)")
            }
        case .primitive:
            guard object.isEmpty else { throw Failure(.malformed, "\(facts.key) is a primitive, and has an object") }
            guard let source = facts.source, ArtifactDigest.of(Array(source.text.utf8)) == facts.artifact else {
                throw Failure(.malformed, "the text is not that of \(facts.key): its policy names \(facts.artifact)")
            }
        }
    }
}
