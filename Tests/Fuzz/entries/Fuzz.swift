import Exchange
import Model
import Registry
import Repository

// An entry from elsewhere: the manifest that names its parts, the policy as the client reads it and as the daemon does, and
// the place that it is fetched from.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    if let manifest = try? EntryManifest(bytes) {
        precondition(manifest.blobs.count <= ExchangeLimits.layers)
        // Without its blobs there is no entry.
        precondition((try? manifest.entry([:])) == nil)
    }
    _ = try? TravellingEntry(policy: bytes, object: [])
    if let bundle = try? PolicyBundle(json: bytes) {
        // What is taken in is what is given on.
        guard let again = try? bundle.json(), let read = try? PolicyBundle(json: again) else {
            preconditionFailure("a bundle that was read cannot be written, or not be read again")
        }
        precondition(read == bundle)
    }
    if let text = String(validating: bytes, as: UTF8.self), let place = try? RegistryReference(text) {
        precondition((try? RegistryReference(place.description)) == place)
    }
    return 0
}
