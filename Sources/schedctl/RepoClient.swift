import Client
import Exchange
import Foundation
import Model
import Wire

/// What the commands of the repository ask the daemon.
struct RepoClient {
    private let client: SchedClient

    init(_ client: SchedClient) { self.client = client }

    /// Page after page, until there are so many.
    func entries(_ filter: WireEntryFilter, limit: Int) async throws(Failure) -> WireEntryList {
        var all = WireEntryList()
        var request = WireEntriesRequest()
        request.filter = filter
        while all.entries.count < limit {
            request.limit = UInt32(min(limit - all.entries.count, 1000))
            let result = try await client.call(.entries(request))
            guard case .entries(let page) = result else { throw SchedClient.unexpected(result) }
            all.entries += page.entries
            all.more = page.more
            // The numbers grow, or the daemon would be asked for ever.
            guard page.more, let last = page.entries.last, last.id > request.after else { break }
            request.after = last.id
        }
        return all
    }

    func entry(_ key: String, source: Bool = false) async throws(Failure) -> WireEntryReply {
        var request = WireEntryRequest()
        request.key = key
        request.source = source
        let result = try await client.call(.entry(request))
        guard case .entry(let reply) = result else { throw SchedClient.unexpected(result) }
        return reply
    }

    /// An entry to take away, checked for its form: what the daemon gave has to be as whole as what others give.
    func export(_ key: String) async throws(Failure) -> TravellingEntry {
        var request = WireEntryExportRequest()
        request.key = key
        let result = try await client.call(.entryExport(request))
        guard case .bundle(let bundle) = result else { throw SchedClient.unexpected(result) }
        return try TravellingEntry(policy: [UInt8](bundle.policy), object: [UInt8](bundle.object))
    }

    /// - Parameter source: where it comes from, one line.
    func take(_ entry: TravellingEntry, from source: String) async throws(Failure) -> WireChangeReply {
        let limit = Int(client.greeting.limits.maxFrameBytes)
        let size = entry.policy.count + entry.object.count + 1024
        guard limit == 0 || size <= limit else {
            throw Failure(
                .tooMany, "\(entry.facts.key) has \(size) bytes, more than the \(limit) that schedcpd takes of you")
        }
        var request = WireEntryImportRequest()
        request.bundle.policy = Data(entry.policy)
        request.bundle.object = Data(entry.object)
        request.source = String(source.prefix(200))
        return try await change(.entryImport(request))
    }

    func change(_ operation: WireRequest.OneOf_Operation) async throws(Failure) -> WireChangeReply {
        let result = try await client.call(operation)
        guard case .changed(let reply) = result else { throw SchedClient.unexpected(result) }
        return reply
    }
}
