import Model
import Wire

/// One line of a file of layers, as `layer 1 weight=20 cap=30%` or `rule 1 name=make`.
struct LayerLine {
    private let words: [String]

    init(_ line: some StringProtocol) throws(Failure) { words = try Self.split(line) }

    /// At white space that is not in quotes; `#` begins a comment.
    private static func split(_ line: some StringProtocol) throws(Failure) -> [String] {
        var (words, word, isQuoted, isEscaped) = ([String](), "", false, false)
        for character in line {
            switch character {
            case _ where isEscaped: (word, isEscaped) = (word + String(character), false)
            case "\\" where isQuoted: isEscaped = true
            case "\"": isQuoted.toggle()
            case "#" where !isQuoted && word.isEmpty: return words
            case _ where character.isWhitespace && !isQuoted:
                if !word.isEmpty { words.append(word) }
                word = ""
            default: word.append(character)
            }
        }
        guard !isQuoted else { throw Failure(.invalidArgument, "a quote is not closed") }
        return word.isEmpty ? words : words + [word]
    }

    func add(to table: inout WireLayerTable) throws(Failure) {
        guard let kind = words.first else { return }
        guard words.count > 1, let index = UInt32(words[1]), kind == "layer" || kind == "rule" else {
            throw Failure(
                .invalidArgument, "a line begins with 'layer' or 'rule' and the number of a layer",
                hint: "as: layer 0 weight=100, or: rule 1 name=make")
        }
        var names: Set<String> = []
        let pairs = try words.dropFirst(2).map { word throws(Failure) in
            let pair = try SchedulerArguments.setting(word, of: "the word")
            guard names.insert(pair.name).inserted else {
                throw Failure(.invalidArgument, "\(pair.name.quotedForDisplay()) is there twice")
            }
            return pair
        }
        if kind == "rule" { return table.rules.append(try Self.rule(index, pairs)) }
        guard Int(index) == table.layers.count else {
            throw Failure(.invalidArgument, "layer \(index) comes where layer \(table.layers.count) is due")
        }
        table.layers.append(try Self.layer(pairs))
    }

    private static func layer(_ pairs: [Setting]) throws(Failure) -> WireLayer {
        var layer = WireLayer()
        layer.weight = 100
        for pair in pairs {
            switch pair.name {
            case "weight": layer.weight = try number(pair)
            case "guarantee": layer.guarantee = try thousandths(pair)
            case "cap": layer.cap = try thousandths(pair)
            default: throw unknown(pair, "weight, guarantee and cap")
            }
        }
        return layer
    }

    private static func rule(_ layer: UInt32, _ pairs: [Setting]) throws(Failure) -> WireLayerRule {
        var rule = WireLayerRule()
        rule.layer = layer
        for pair in pairs {
            switch pair.name {
            case "name": rule.name = try text(pair)
            case "cgroup": rule.cgroup = try text(pair)
            case "threads": rule.threads = try number(pair)
            case "nice": try nice(pair, &rule)
            default: throw unknown(pair, "name, cgroup, nice and threads")
            }
        }
        guard !pairs.isEmpty else { throw Failure(.invalidArgument, "a rule needs a condition", hint: "as name=make") }
        return rule
    }

    private static func text(_ pair: Setting) throws(Failure) -> String {
        guard !pair.value.isEmpty else { throw wrong(pair, "a text") }
        return pair.value
    }

    private static func number(_ pair: Setting) throws(Failure) -> UInt32 {
        guard let value = UInt32(pair.value) else { throw wrong(pair, "a whole number") }
        return value
    }

    private static func thousandths(_ pair: Setting) throws(Failure) -> UInt32 {
        guard pair.value.hasSuffix("%"), let value = Double(pair.value.dropLast()), (0...100).contains(value) else {
            throw wrong(pair, "a share, as 25%")
        }
        return UInt32((value * 10).rounded())
    }

    /// `5`, `5..19`, `5..` or `..-1`.
    private static func nice(_ pair: Setting, _ rule: inout WireLayerRule) throws(Failure) {
        let wrong = wrong(pair, "a range of nice values, as 5..19")
        guard let dots = pair.value.firstRange(of: "..") else {
            guard let value = Int32(pair.value) else { throw wrong }
            (rule.niceLeast, rule.niceMost) = (value, value)
            return
        }
        let ends = [pair.value[..<dots.lowerBound], pair.value[dots.upperBound...]]
        guard !ends.allSatisfy(\.isEmpty) else { throw wrong }
        if !ends[0].isEmpty {
            guard let value = Int32(ends[0]) else { throw wrong }
            rule.niceLeast = value
        }
        if !ends[1].isEmpty {
            guard let value = Int32(ends[1]) else { throw wrong }
            rule.niceMost = value
        }
    }

    private static func wrong(_ pair: Setting, _ wanted: String) -> Failure {
        Failure(.invalidArgument, "\(pair.name) is \(wanted), not \(pair.value.quotedForDisplay())")
    }

    private static func unknown(_ pair: Setting, _ known: String) -> Failure {
        Failure(.invalidArgument, "\(pair.name.quotedForDisplay()) is unknown here", hint: "there are \(known)")
    }
}
