// schedcp-eject: the one act that schedcpd's capabilities do not reach. systemd starts it, without any privilege, for a
// connection on a socket that only the user schedcp may open. Standard input is the connection, standard output is
// /proc/sysrq-trigger, which systemd opened. It reads a scheduler's name, and if the kernel runs a scheduler of
// just that name, resets the kernel to its default through sysrq-S, and answers "ok".

import Glibc
import Linux

let maxName = 127

func answer(_ text: String) -> Never {
    let line = Array((text + "\n").utf8)
    // SAFETY: the array's own memory and count; the connection is descriptor 0, open in both directions.
    let sent = line.withUnsafeBytes { write(0, $0.baseAddress, $0.count) }
    exit(text == "ok" && sent == line.count ? 0 : 1)
}

guard let name = readLine(strippingNewline: true), !name.isEmpty, name.utf8.count <= maxName else {
    answer("no name was given")
}
guard let running = TextFile.firstLine("/sys/kernel/sched_ext/root/ops") else { answer("no scheduler is loaded") }
guard running == name else { answer("another scheduler is loaded by now") }
do throws(SystemError) {
    // SAFETY: one byte of a string literal.
    let written = try retryingInterrupts("write /proc/sysrq-trigger") { write(1, "S", 1) }
    guard written == 1 else { answer("the kernel did not take the request") }
} catch { answer("\(error)") }
for _ in 0..<200 {
    if TextFile.firstLine("/sys/kernel/sched_ext/state") == "disabled" { answer("ok") }
    usleep(50_000)
}
answer("the scheduler did not end within ten seconds")
