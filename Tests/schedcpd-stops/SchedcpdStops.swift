// schedcpd-stops: the daemon with places where it stops. It is built for the tests and never installed: the file `stop` in the
// state folder says where to stop and how, as "kill before attach" or "fail after keep". Each line is obeyed once.

import ArgumentParser
import DaemonCommand
import Deployment
import Foundation
import Model

@main
struct SchedcpdStops: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "schedcpd-stops")

    @OptionGroup var options: DaemonOptions

    func run() throws { try options.run(stops: FileStops(path: options.state + "/stop")) }
}

struct FileStops: Stops {
    let path: String

    func reach(_ place: String) throws(Failure) {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
        let wanted = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard wanted == "kill \(place)" || wanted == "fail \(place)" else { return }
        try? FileManager.default.removeItem(atPath: path)
        if wanted.hasPrefix("kill") {
            kill(getpid(), SIGKILL)
            // It takes effect at once; no line below is reached.
            sleep(60)
        }
        throw Failure(.internal, "stopped \(place), as the test wants it")
    }
}
