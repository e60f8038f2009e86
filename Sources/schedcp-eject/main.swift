// schedcp-eject: the one act that schedcpd's capabilities do not reach. systemd starts it for a connection on a socket that
// only the user schedcp may open (standard input and output are the connection). It reads a scheduler's name, and if
// the kernel runs a scheduler of just that name, resets the kernel to its default through sysrq-S, and says "ok".

import Glibc
import Linux

let maxName = 127

func answer(_ text: String) -> Never {
    print(text)
    exit(text == "ok" ? 0 : 1)
}

func currentOps() -> String? { TextFile.firstLine("/sys/kernel/sched_ext/root/ops") }

guard let line = readLine(strippingNewline: true), !line.isEmpty, line.utf8.count <= maxName else {
    answer("no name was given")
}
guard let running = currentOps() else { answer("no scheduler is loaded") }
guard running == line else { answer("another scheduler is loaded by now") }
do throws(SystemError) {
    let trigger = try Descriptor.open("/proc/sysrq-trigger", O_WRONLY)
    let written = try retryingInterrupts("write /proc/sysrq-trigger") { write(trigger.raw, "S", 1) }
    guard written == 1 else { answer("the kernel did not take the request") }
} catch { answer("\(error)") }
for _ in 0..<200 {
    if TextFile.firstLine("/sys/kernel/sched_ext/state") == "disabled" { answer("ok") }
    usleep(50_000)
}
answer("the scheduler did not end within ten seconds")
