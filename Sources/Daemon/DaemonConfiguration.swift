// Daemon: what schedcpd does after it has given up root: it serves the socket, checks every request against the access
// rules, and hands it to the services. One event loop thread reads and answers; what may block runs on the deployment
// service's own queue. `schedcpd` itself is only the command line and the drop of privileges around this.

/// Where things are.
package struct DaemonConfiguration: Sendable {
    package var stateFolder: String
    package var schedulersFolder: String
    /// Of rules.conf.
    package var rulesFolder: String
    package var auditFolder: String
    /// The socket of the helper that can remove a foreign scheduler.
    package var ejectSocket: String
    /// Of the probes that are loaded while somebody looks at what runs.
    package var probesFolder = "/usr/lib/schedcp/probes"
    /// Of the model that search understands sentences with; it may be missing.
    package var modelFolder: String
    package var limits: ServerLimits
    package var verifier = VerifierLimits()

    package init(
        stateFolder: String, schedulersFolder: String, rulesFolder: String, auditFolder: String, ejectSocket: String,
        modelFolder: String = Self.installedModel, limits: ServerLimits = ServerLimits()
    ) {
        self.stateFolder = stateFolder
        self.schedulersFolder = schedulersFolder
        self.rulesFolder = rulesFolder
        self.auditFolder = auditFolder
        self.ejectSocket = ejectSocket
        self.modelFolder = modelFolder
        self.limits = limits
    }

    package static let version = "0.1.0"
    package static let installedModel = "/usr/share/schedcp/models/all-MiniLM-L6-v2"
}

/// Every bound that a client can run into. The hello's answer tells them.
package struct ServerLimits: Hashable, Sendable {
    package var connections = 1024
    /// Of these, so many only for actors who may change something.
    package var reservedConnections = 64
    /// Whatever the rules say.
    package var connectionsPerUser = 512
    package var requestsInFlight = 16
    package var streams = 4
    package var parameters = 64
    package var hints = 1024
    package var history = 1000
    package var objectBytes = 6 * 1024 * 1024
    /// Memory for frames that are larger than ordinary ones, of all and of one user.
    package var frameMemory = 64 << 20
    package var frameMemoryPerUser = 16 << 20
    package var auditLines = 1000
    /// From the first byte of a frame to its last.
    package var frameSeconds = 10
    /// From the connection to its hello.
    package var helloSeconds = 10

    package init() {}
}
