import Linux
package import Logging
import Service

/// Logs to the journal with structured fields, or as plain lines to standard error where there is no journal.
package struct JournalLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let toJournal = Journal.isConnected

    package init(level: Logger.Level) { logLevel = level }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        guard toJournal else {
            let suffix = fields.map { " \($0.key)=\($0.value)" }.joined()
            ThisProcess.complain("\(event.level): \(event.message)\(suffix)\n")
            return
        }
        Journal.send(
            [
                ("MESSAGE", "\(event.message)"), ("PRIORITY", "\(event.level.syslogPriority)"),
                ("SYSLOG_IDENTIFIER", "schedcpd"),
            ]
                + fields.map {
                    (
                        "SCHEDCP_" + $0.key.uppercased().map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined(),
                        "\($0.value)"
                    )
                })
    }
}

extension Logger.Level {
    /// syslog(3)'s numbers.
    fileprivate var syslogPriority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
