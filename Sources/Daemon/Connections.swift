package import Access
package import Deployment
package import Logging
package import Model
package import NIOCore
package import Repository

/// What serves one client, on a channel that is no socket: for tests, which then decide what time it is and who asks.
package enum Connections {
    package static func handler(
        for actor: Actor, configuration: DaemonConfiguration, service: DeploymentService, catalog: Catalog,
        rules: AccessRules, logger: Logger
    ) -> any ChannelHandler {
        let router = Router(configuration: configuration, service: service, catalog: catalog, rules: rules)
        return ConnectionHandler(actor: actor, router: router, logger: logger)
    }
}
