import Diagnostics
import Foundation
import Model
import Testing

@Suite(.timeLimit(.minutes(5))) struct JSONTests {
    @Test func saysEverythingOnOneLine() throws {
        let text = JSONRenderer().text(Sample.run())
        #expect(!text.contains("\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["verdict"] as? String == "refused")
        #expect(object["artifact_sha256"] as? String == Sample.run().artifact)
        #expect((object["kernel"] as? [String: Any])?["release"] as? String == "7.3.4")
        let stages = try #require(object["stages"] as? [[String: Any]])
        #expect(stages.map { $0["stage"] as? String } == ["compile", "static", "kernel", "dynamic"])
        let findings = try #require(stages[1]["findings"] as? [[String: Any]])
        #expect((findings[0]["location"] as? [String: Any])?["line"] as? Int == 4)
        #expect((findings[0]["path"] as? [[String: Any]])?.first?["note"] as? String == "the condition is true")
        let checks = try #require(stages[1]["checks"] as? [[String: Any]])
        #expect(checks.map { $0["verdict"] as? String } == ["refuted", "unknown", "proved"])
        #expect((stages[1]["measurements"] as? [[String: Any]])?.first?["value"] as? Double == 120)
    }

    @Test func aFigureThatIsNoNumberDoesNotSpoilIt() throws {
        var run = Sample.run()
        run.stages[1].measurements = [Measurement("ratio", value: .nan), Measurement("ratio", value: .infinity)]
        let text = JSONRenderer(isPretty: true).text(run)
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect((object?["stages"] as? [Any])?.count == 4)
    }

    @Test func aFindingWithoutAPlaceHasNoLocation() throws {
        let run = Sample.run([Finding(stage: .dynamic, check: "starvation", message: "waits")])
        #expect(!JSONRenderer().text(run).contains("\"location\""))
    }
}
