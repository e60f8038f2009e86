import ArgumentParser
import Attestation
import Linux
import Model

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "The public key that this verifier signs with, as `verifier … key` in rules.conf takes it.",
        discussion: """
            Made when it is first asked for. On the machine that is to ask this verifier:

              verifier build-machine stream /dev/virtio-ports/org.schedcp.verify key ed25519 …
            """)
    enum Format: String, ExpressibleByArgument, CaseIterable { case rules, pem }
    @Option(help: "rules or pem.") var format = Format.rules
    @Option(help: ArgumentHelp("The file of the key (default: key.json in the state folder).", valueName: "path"))
    var key: String?
    @OptionGroup var options: VerifyOptions

    func run() async throws {
        do throws(Failure) {
            let signing = try KeyFile.open(key ?? options.stateFolder + "/key.json")
            let shown = try VerifierKey(name: "", publicKey: signing.publicKey)
            print(format == .pem ? shown.pem : shown.text, terminator: format == .pem ? "" : "\n")
        } catch {
            ThisProcess.complain("error: \(error)\n")
            throw ExitCode(1)
        }
    }
}
