import type { RouteOptions } from 'fastify'

/**
 * Makes routes also accept roles with the names of their scopes, because Entra ID grants permissions to machines as
 * roles.
 */
export function acceptRoles({ config }: RouteOptions): void {
  const rule = config?.oauth
  if (rule && rule.scopes !== undefined) Object.assign(config, { oauth: { ...rule, roles: rule.scopes } })
}
