import Model

/// A path's steps with the turns of a loop folded: what comes again is shown once, with how often it comes.
struct RepeatedSteps {
    /// Steps, and how many times they are gone through, at least 1.
    struct Run: Equatable {
        var steps: ArraySlice<PathStep>
        var times: Int
    }

    /// Longer turns than this are not looked for.
    private static let longestTurn = 12
    /// Two turns are shown as they are: it takes three for the fold to be shorter than what it replaces.
    private static let fewestTurns = 3

    let runs: [Run]

    init(_ steps: [PathStep]) {
        var runs: [Run] = []
        var plain = 0
        var index = 0
        while index < steps.count {
            guard let (length, times) = Self.turns(in: steps, at: index) else {
                index += 1
                continue
            }
            if plain < index { runs.append(Run(steps: steps[plain..<index], times: 1)) }
            runs.append(Run(steps: steps[index..<index + length], times: times))
            index += length * times
            plain = index
        }
        if plain < steps.count { runs.append(Run(steps: steps[plain...], times: 1)) }
        self.runs = runs
    }

    /// The shortest turn that begins here and comes often enough.
    private static func turns(in steps: [PathStep], at start: Int) -> (length: Int, times: Int)? {
        let most = min(longestTurn, (steps.count - start) / fewestTurns)
        guard most > 0 else { return nil }
        for length in 1...most {
            var times = 1
            var next = start + length
            while next + length <= steps.count, steps[next..<next + length].elementsEqual(steps[start..<start + length])
            {
                times += 1
                next += length
            }
            if times >= fewestTurns { return (length, times) }
        }
        return nil
    }
}
