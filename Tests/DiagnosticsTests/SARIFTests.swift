import Diagnostics
import Foundation
import Model
import Testing

/// The log against what SARIF 2.1.0 demands. Sections are those of the standard.
@Suite(.timeLimit(.minutes(5))) struct SARIFTests {
    typealias Object = [String: Any]

    private static func log(_ run: Diagnosis = Sample.run()) throws -> Object {
        let text = SARIFRenderer(version: "0.1.0", sources: Sample.sources, exitStatus: 1).text(run)
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object)
    }

    private static func firstRun(_ log: Object) throws -> Object {
        try #require((log["runs"] as? [Object])?.first)
    }

    /// §3.13, §3.14, §3.18, §3.19: the members without which it is no log.
    @Test func hasWhatEveryLogHas() throws {
        let log = try Self.log()
        #expect(log["version"] as? String == "2.1.0")
        #expect((log["$schema"] as? String)?.hasSuffix("sarif-schema-2.1.0.json") == true)
        let run = try Self.firstRun(log)
        let driver = try #require((run["tool"] as? Object)?["driver"] as? Object)
        #expect((driver["name"] as? String)?.isEmpty == false)
        #expect(driver["semanticVersion"] as? String == "0.1.0")
        let invocation = try #require((run["invocations"] as? [Object])?.first)
        #expect(invocation["executionSuccessful"] as? Bool == true)
        #expect(invocation["exitCode"] as? Int == 1)
    }

    /// §3.27, §3.49: every result has a message, a level that is one, and the rule at its index is its rule.
    @Test func everyResultFitsItsRule() throws {
        let run = try Self.firstRun(try Self.log())
        let driver = try #require((run["tool"] as? Object)?["driver"] as? Object)
        let rules = try #require(driver["rules"] as? [Object])
        let ids = rules.compactMap { $0["id"] as? String }
        #expect(Set(ids).count == rules.count)
        let results = try #require(run["results"] as? [Object])
        #expect(results.count == 2)
        for result in results {
            let index = try #require(result["ruleIndex"] as? Int)
            #expect(ids[index] == result["ruleId"] as? String)
            #expect(["error", "warning", "note", "none"].contains(result["level"] as? String))
            #expect(((result["message"] as? Object)?["text"] as? String)?.isEmpty == false)
        }
    }

    @Test func everyCheckOfTheCatalogueIsARuleWithHelp() throws {
        let run = try Self.firstRun(try Self.log())
        let rules = try #require(((run["tool"] as? Object)?["driver"] as? Object)?["rules"] as? [Object])
        for check in CheckCatalogue.all {
            let rule = try #require(rules.first { $0["id"] as? String == check.name })
            #expect((rule["help"] as? Object)?["text"] as? String != nil)
            #expect((rule["shortDescription"] as? Object)?["text"] as? String == check.title)
            #expect((rule["defaultConfiguration"] as? Object)?["level"] as? String == check.severity.rawValue)
        }
    }

    /// §3.28 to §3.30: places are URIs into the artifacts, lines and columns count from 1.
    @Test func placesLeadToTheArtifacts() throws {
        let run = try Self.firstRun(try Self.log())
        let artifacts = try #require(run["artifacts"] as? [Object])
        #expect((artifacts[0]["hashes"] as? Object)?["sha-256"] as? String == Sample.run().source)
        let result = try #require((run["results"] as? [Object])?.first)
        let location = try #require((result["locations"] as? [Object])?.first)
        let physical = try #require(location["physicalLocation"] as? Object)
        let artifact = try #require(physical["artifactLocation"] as? Object)
        #expect(artifact["uri"] as? String == "my%20schedulers/lost.bpf.c")
        let index = try #require(artifact["index"] as? Int)
        #expect((artifacts[index]["location"] as? Object)?["uri"] as? String == artifact["uri"] as? String)
        let region = try #require(physical["region"] as? Object)
        #expect(region["startLine"] as? Int == 4)
        #expect(region["startColumn"] as? Int == 3)
        let logical = try #require((location["logicalLocations"] as? [Object])?.first)
        #expect(logical["name"] as? String == "enqueue")
    }

    /// §3.36 to §3.38: the decisions, and at the end the finding itself.
    @Test func thePathIsACodeFlow() throws {
        let run = try Self.firstRun(try Self.log())
        let results = try #require(run["results"] as? [Object])
        let flows = try #require(results[0]["codeFlows"] as? [Object])
        let thread = try #require((flows[0]["threadFlows"] as? [Object])?.first)
        let places = try #require(thread["locations"] as? [Object])
        #expect(places.map { $0["executionOrder"] as? Int } == [1, 2])
        let notes = places.map { (($0["location"] as? Object)?["message"] as? Object)?["text"] as? String }
        #expect(notes == ["the condition is true", Sample.lost.message])
        #expect(results[1]["codeFlows"] == nil)
    }

    @Test func theFingerprintStaysWhenLinesMove() throws {
        func prints(_ finding: Finding) throws -> [String] {
            let run = try Self.firstRun(try Self.log(Sample.run([finding, finding])))
            return (run["results"] as? [Object] ?? []).compactMap {
                ($0["partialFingerprints"] as? Object)?["schedcpFinding/v1"] as? String
            }
        }
        var moved = Sample.lost
        moved.location?.line = 90
        moved.location?.text = "  return;"
        let before = try prints(Sample.lost)
        #expect(before == (try prints(moved)))
        // Two findings at the same line are two.
        #expect(Set(before).count == 2)
        var other = Sample.lost
        other.check = "slice"
        #expect(Set(before).isDisjoint(with: try prints(other)))
    }

    @Test func whatCouldNotBeDoneIsANotification() throws {
        let stage = StageReport(.kernel, .unable, log: "there is no qemu-system-x86_64")
        let run = try Self.firstRun(try Self.log(Diagnosis(name: "x.bpf.o", verdict: .unable, stages: [stage])))
        let invocation = try #require((run["invocations"] as? [Object])?.first)
        #expect(invocation["executionSuccessful"] as? Bool == false)
        let notes = try #require(invocation["toolExecutionNotifications"] as? [Object])
        #expect((notes.first?["message"] as? Object).map { "\($0)".contains("qemu") } == true)
        #expect((run["results"] as? [Object])?.isEmpty == true)
    }
}
