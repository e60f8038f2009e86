import Model

/// Hints as the guest reads them: `MAP KEY NANOSECONDS`, the key as the scheduler sees it, in hexadecimal.
enum TrialHints {
    /// Bytes of a process's name in the kernel, with its end.
    static let nameBytes = 16

    /// Hints by cgroup are left out: the cgroups are the host's, and a machine that has just been booted has none.
    static func lines(_ candidate: TrialCandidate) -> String {
        guard let map = candidate.hintMaps[.process] else { return "" }
        return candidate.hints.filter { $0.kind == .process }.map { hint in
            let name = Array(hint.key.utf8.prefix(nameBytes - 1))
            let key = name + [UInt8](repeating: 0, count: nameBytes - name.count)
            return "\(map) \(Hex.text(key)) \(hint.nanoseconds)\n"
        }.joined()
    }
}
