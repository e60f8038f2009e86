import Linux

/// Where images and answers are kept between runs: the same place as scripts/lib/common.sh's CACHE.
package struct CacheFolder: Hashable, Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// `SCHEDCP_CACHE`, else `schedcp` in `XDG_CACHE_HOME`, else in `~/.cache`.
    package static var standard: CacheFolder {
        if let own = HostFile.environment("SCHEDCP_CACHE"), !own.isEmpty { return CacheFolder(own) }
        if let base = HostFile.environment("XDG_CACHE_HOME"), !base.isEmpty {
            return CacheFolder(base + "/schedcp")
        }
        return CacheFolder((HostFile.environment("HOME") ?? "/root") + "/.cache/schedcp")
    }

    /// A folder in it, made when it is not there.
    package func folder(_ name: String) throws(MachineError) -> String {
        do {
            try HostFile.makeFolders("\(path)/\(name)")
        } catch {
            throw MachineError(.system, error.description, hint: "SCHEDCP_CACHE names another folder.")
        }
        return "\(path)/\(name)"
    }
}
