/// The small shell program between us and an emulator, which makes sure that none outlives its purpose.
///
/// It holds a pipe from us as its standard input. Three ends are covered:
/// - we close the pipe, or die in any way: a watcher reads the end of it and tells the supervisor to end;
/// - the supervisor is killed: the kernel kills emulator and watcher (`PR_SET_PDEATHSIG`, set by setpriv(1) in a child
///   of the supervisor's only thread; the signal belongs to the parent *thread*, so a thread of ours must not be the
///   parent; the test of `PPID` covers the moment before it is set);
/// - the emulator ends: the supervisor says how, and ends as well.
/// In all but the second it removes the machine's private folder, even when we are gone.
enum Supervisor {
    static let script = """
        folder=$1
        shift
        vm= watcher=
        end() {
            trap '' TERM HUP INT
            kill -KILL $vm $watcher 2>/dev/null
            wait
            rm -rf "$folder"
            printf '\\n\(marker)%s\\n' "$1" >&2
            exit "$1"
        }
        trap 'end 143' TERM HUP INT
        exec 3<&0 </dev/null
        setpriv --pdeathsig KILL -- sh -c '[ "$PPID" = "$0" ] && read -r _; kill -TERM "$0"' $$ <&3 >/dev/null 2>&1 &
        watcher=$!
        exec 3<&-
        setpriv --pdeathsig KILL -- sh -c '[ "$PPID" = "$0" ] && exec "$@"' $$ "$@" &
        vm=$!
        wait "$vm"
        end $?
        """

    private static let marker = "supervisor: the machine ended with "

    /// The words for `sh`.
    static func arguments(folder: String, command: [String]) -> [String] {
        ["-c", script, "schedcp-vm", folder] + command
    }

    /// How the emulator ended, from what the supervisor said last.
    static func exit(in complaints: String) -> MachineExit? {
        let line = complaints.split(separator: "\n").last { $0.hasPrefix(marker) }
        guard let status = line.flatMap({ Int32($0.dropFirst(marker.count)) }) else { return nil }
        return status > 128 ? .signal(status - 128) : .status(status)
    }

    /// The emulator's own words, without the supervisor's.
    static func withoutMarker(_ lines: [String]) -> [String] { lines.filter { !$0.hasPrefix(marker) } }
}
