import Model
import Synchronization

/// How often somebody may ask: so many requests a second on average, and so many at once.
package struct RequestRate: Hashable, Sendable {
    package var perSecond: Double
    package var burst: Double

    package init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// What one user has open and uses up, over all of its connections.
package final class UserAccount: Sendable {
    package enum Place: Int, CaseIterable, Sendable { case connection, stream, verification, search }

    private struct State {
        var places = [Int](repeating: 0, count: Place.allCases.count)
        var frameBytes = 0
        /// Requests that may come at once; filled up as time goes by.
        var tokens: Double?
        var filledAt: Int64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Takes a place if fewer than `limit` are taken.
    package func enter(_ place: Place, limit: Int) -> Bool {
        state.withLock { state in
            guard state.places[place.rawValue] < limit else { return false }
            state.places[place.rawValue] += 1
            return true
        }
    }

    package func leave(_ place: Place) {
        state.withLock { $0.places[place.rawValue] -= 1 }
    }

    package func taken(_ place: Place) -> Int { state.withLock { $0.places[place.rawValue] } }

    /// Takes memory for a large frame; false when it would be more than `limit` bytes in all.
    func reserve(_ bytes: Int, limit: Int) -> Bool {
        state.withLock { state in
            guard state.frameBytes + bytes <= limit else { return false }
            state.frameBytes += bytes
            return true
        }
    }

    func free(_ bytes: Int) { state.withLock { $0.frameBytes -= bytes } }

    /// Takes one request out of the rate.
    /// - Parameter now: monotonic, in nanoseconds.
    /// - Returns: nanoseconds to wait before asking again; 0 when it was taken.
    package func take(_ rate: RequestRate, now: Int64) -> Int64 {
        state.withLock { state in
            let passed = Double(max(0, now - state.filledAt)) / 1e9
            let tokens = min(rate.burst, (state.tokens ?? rate.burst) + passed * rate.perSecond)
            state.filledAt = now
            guard tokens < 1 else {
                state.tokens = tokens - 1
                return 0
            }
            state.tokens = tokens
            return max(1_000_000, Int64((1 - tokens) / max(rate.perSecond, 0.001) * 1e9))
        }
    }

    /// Nothing open, and as many tokens as a new account would have.
    func isIdle(_ rate: RequestRate?, now: Int64) -> Bool {
        state.withLock { state in
            guard state.places.allSatisfy({ $0 == 0 }), state.frameBytes == 0 else { return false }
            guard let rate, let tokens = state.tokens else { return true }
            return tokens + Double(max(0, now - state.filledAt)) / 1e9 * rate.perSecond >= rate.burst
        }
    }
}
