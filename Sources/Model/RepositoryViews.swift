/// An entry that matches a text.
package struct TextMatch: Hashable, Sendable {
    /// Of the entry.
    package let id: Int64
    /// BM25; larger is better.
    package let score: Double
    /// The words of the question that occur in the entry.
    package let terms: [String]

    package init(id: Int64, score: Double, terms: [String]) {
        self.id = id
        self.score = score
        self.terms = terms
    }
}

/// How much a match in each part of an entry counts.
package struct TextWeights: Hashable, Sendable {
    package var name: Double
    package var summary: Double
    package var targets: Double
    package var description: Double
    package var algorithm: Double

    package static let standard = TextWeights()

    package init(
        name: Double = 4, summary: Double = 3, targets: Double = 3, description: Double = 1, algorithm: Double = 2
    ) {
        self.name = name
        self.summary = summary
        self.targets = targets
        self.description = description
        self.algorithm = algorithm
    }
}

/// An entry whose words are to be turned into vectors.
package struct EntryDocument: Hashable, Sendable {
    package let id: Int64
    /// SHA-256 of its words: name, summary, description, algorithm, what it is for and what it is not for.
    package let digest: String
    package let entry: PolicyEntry

    package var key: EntryKey { entry.key }

    package init(id: Int64, digest: String, entry: PolicyEntry) {
        self.id = id
        self.digest = digest
        self.entry = entry
    }
}

/// What a model made of an entry's words; only who made it knows its form.
package struct EntryVectors: Hashable, Sendable {
    package let id: Int64
    package let vectors: [UInt8]

    package init(id: Int64, vectors: [UInt8]) {
        self.id = id
        self.vectors = vectors
    }
}

/// An outcome that was measured under a workload like the one in question.
package struct NearOutcome: Hashable, Sendable {
    /// Of the entry.
    package let id: Int64
    package let outcome: Outcome
    /// From 0 to 1, 1 for the same.
    package let profileSimilarity: Double
    /// As above; 1 where no machine was given.
    package let machineSimilarity: Double

    package init(id: Int64, outcome: Outcome, profileSimilarity: Double, machineSimilarity: Double) {
        self.id = id
        self.outcome = outcome
        self.profileSimilarity = profileSimilarity
        self.machineSimilarity = machineSimilarity
    }
}

/// What a change of the repository did.
package struct ChangeReceipt: Hashable, Sendable {
    /// Of the entry that it concerns; 0 for an antipattern.
    package let entry: Int64
    /// False where the very same was there already.
    package let isNew: Bool
    /// Of the entry, after the change.
    package let status: EntryStatus
    /// The change's number.
    package let sequence: Int64

    package init(entry: Int64, isNew: Bool, status: EntryStatus, sequence: Int64) {
        self.entry = entry
        self.isNew = isNew
        self.status = status
        self.sequence = sequence
    }
}
