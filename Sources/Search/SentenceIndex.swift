import Embedding
import Model

/// The vectors of all entries: made where they are missing, kept by the store, one of each entry in memory.
actor SentenceIndex {
    private let store: any SearchStore
    private let embedder: any Embedder
    private var index: VectorIndex
    private(set) var centre: Centre
    private var last: Int64 = 0
    /// Of the store, when the index was last filled; nil before.
    private var generation: Int64?
    private var filling: Task<Void, any Error>?
    private var read: [Int64: SentenceVectors] = [:]

    /// The name under which the store keeps the vectors.
    nonisolated let model: String
    static let page = 512
    /// Entries whose sentences stay in memory: some 30 MB.
    static let mostRead = 4096

    /// - Parameter common: the part of what all entries have in common that does not count.
    init(store: any SearchStore, embedder: any Embedder, common: Float) {
        self.store = store
        self.embedder = embedder
        index = VectorIndex(dimensions: embedder.identity.dimensions)
        centre = Centre(dimensions: embedder.identity.dimensions, part: common)
        model = embedder.identity.digest + "/" + Passages.scheme
    }

    var count: Int { index.count }

    /// The nearest entries, by the mean of their sentences.
    func nearest(to question: [Float], limit: Int) async throws(Failure) -> [VectorIndex.Near] {
        try await refresh()
        return index.nearest(to: question, limit: limit)
    }

    /// Makes the vectors that are missing, at most `most`, and says how many were made.
    func make(most: Int) async throws(Failure) -> Int {
        var made = 0
        while made < most {
            let documents = try await store.lacking(model: model, limit: min(16, most - made))
            if documents.isEmpty { break }
            for document in documents {
                let passages = Passages.of(document.entry)
                let vectors = try await embedder.vectors(for: passages.map(\.text))
                let stored = SentenceVectors.stored(passages, vectors)
                try await store.store(stored, for: document, model: model)
                // Behind it the index would not look again.
                if document.id <= last { add(EntryVectors(id: document.id, vectors: stored)) }
            }
            made += documents.count
        }
        if made > 0 { generation = nil }
        return made
    }

    /// So many entries have no vectors yet that those which have some would come first for that alone.
    func lacksMany() async throws(Failure) -> Bool {
        try await refresh()
        let few = min(64, index.count / 8)
        return try await store.lacking(model: model, limit: few + 1).count > few
    }

    func forgetOthers() async throws(Failure) { try await store.forgetVectors(except: model) }

    /// The sentences of these entries; the last that were read stay in memory, since an entry's words never change.
    func sentences(of ids: [Int64]) async throws(Failure) -> [Int64: SentenceVectors] {
        var sentences: [Int64: SentenceVectors] = [:]
        for id in ids { sentences[id] = read[id] }
        let others = ids.filter { sentences[$0] == nil }
        for start in stride(from: 0, to: others.count, by: Self.page) {
            let some = Array(others[start..<min(others.count, start + Self.page)])
            for entry in try await store.vectors(model: model, ids: some) {
                // Vectors are a cache: one that cannot be read is as good as missing.
                sentences[entry.id] = try? SentenceVectors(
                    stored: entry.vectors, dimensions: embedder.identity.dimensions)
            }
        }
        if read.count + others.count > Self.mostRead { read = [:] }
        if others.count <= Self.mostRead { read.merge(sentences) { first, _ in first } }
        return sentences
    }

    /// Loads what came since the last time. One at a time: who comes meanwhile waits for the same.
    private func refresh() async throws(Failure) {
        let now = try await store.generation
        if generation == now, filling == nil { return }
        let task = filling ?? Task { try await self.fill(at: now) }
        filling = task
        do { try await task.value } catch let failure as Failure { throw failure } catch {
            throw Failure(.internal, "the vectors could not be loaded: \(error)")
        }
    }

    private func fill(at now: Int64) async throws(Failure) {
        defer { filling = nil }
        while true {
            let page = try await store.vectors(model: model, after: last, limit: Self.page)
            if page.isEmpty { break }
            for entry in page {
                add(entry)
                last = max(last, entry.id)
            }
        }
        generation = now
    }

    private func add(_ entry: EntryVectors) {
        guard
            let sentences = try? SentenceVectors(
                stored: entry.vectors, dimensions: embedder.identity.dimensions)
        else { return }
        let sum = sentences.sum
        index.append(entry.id, sum.normalised())
        centre.add(sum, of: sentences.wanted)
    }
}
