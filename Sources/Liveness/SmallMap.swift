/// A map of a few dozen entries, in the order of its keys. Copies are cheap, and what goes through it goes in order.
struct SmallMap<Key: Comparable, Value> {
    private(set) var entries: [(key: Key, value: Value)] = []

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    /// Where the key is, or would be.
    private func place(_ key: Key) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    subscript(_ key: Key) -> Value? {
        get {
            let index = place(key)
            return index < entries.count && entries[index].key == key ? entries[index].value : nil
        }
        set {
            let index = place(key)
            let isThere = index < entries.count && entries[index].key == key
            if let newValue {
                if isThere { entries[index].value = newValue } else { entries.insert((key, newValue), at: index) }
            } else if isThere {
                entries.remove(at: index)
            }
        }
    }

    mutating func removeAll(where isGone: (Key) -> Bool) { entries.removeAll { isGone($0.key) } }
}
