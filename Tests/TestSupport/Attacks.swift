import Synchronization

/// Attacks that tests try, counted by kind. `scripts/test security` adds up what is printed.
package enum Attacks {
    /// - Parameters:
    ///   - tried: how many.
    ///   - refused: how many of them.
    package static func report(_ kind: String, tried: Int, refused: Int) {
        print("attacks: \(kind) \(tried) tried, \(refused) refused")
    }
}
