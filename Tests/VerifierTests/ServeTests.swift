import Foundation
import TestSupport
import Testing

/// `schedcp-verify serve`, as a lab machine and a test start it.
@Suite(.timeLimit(.minutes(5))) struct ServeTests {
    @Test func endsWithWhoeverHoldsItsInput() async throws {
        let folder = try TemporaryFolder()
        let script = """
            sh -c 'echo $$ >"$0.part"; mv "$0.part" "$0"; exec sleep 1000' "$1/holder" |
                "$2" serve --stream "$1/none.sock" --state "$1/state" --until-input-ends
            echo "$?" >"$1/status"
            """
        let program = try Checkout.program("schedcp-verify")
        let verifier = try ChildProcess("/bin/sh", ["-c", script, "sh", folder.path, program])
        #expect(await eventually(tries: 12000) { verifier.errors.contains("waiting for") }, "\(verifier.errors)")
        #expect(verifier.isRunning)
        let holder = folder.text("holder").trimmingCharacters(in: .whitespacesAndNewlines)
        kill(try #require(Int32(holder)), SIGKILL)
        #expect(await verifier.ending() == .status(0))
        #expect(folder.text("status") == "0\n", "\(verifier.errors)")
    }
}
