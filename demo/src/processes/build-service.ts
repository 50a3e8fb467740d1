import type { FastifyInstance } from 'fastify'
import type { DemoConfig, ServiceName } from '../config.js'

/** Builds one service by its name. Only the code of that service is loaded. */
export const buildService: {
  readonly [N in ServiceName]: (config: DemoConfig[N]) => Promise<FastifyInstance>
} = {
  authorizationServer: async config =>
    (await import('../authorization-server/app.js')).buildAuthorizationServer(config),
  receipts: async config => (await import('../receipt-service/app.js')).buildReceiptService(config),
  payments: async config => (await import('../payment-service/app.js')).buildPaymentService(config),
  storefront: async config => (await import('../storefront/app.js')).buildStorefront(config),
}

/** Builds a service and starts listening. */
export async function openService<N extends ServiceName>(
  name: N,
  config: DemoConfig[N],
): Promise<FastifyInstance> {
  const service = await buildService[name](config)
  const { closeConnections } = await import('../operations/close-connections.js')
  closeConnections(service)
  try {
    await service.listen({ host: config.host, port: config.port })
    return service
  } catch (error) {
    await service.close()
    throw error
  }
}
