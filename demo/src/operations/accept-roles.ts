import type { RouteOptions } from 'fastify'

/** Routes accept application permissions of their scopes' names too, which is how Entra ID grants them to machines. */
export function acceptRoles({ config }: RouteOptions): void {
  const rule = config?.oauth
  if (rule && rule.scopes !== undefined) Object.assign(config, { oauth: { ...rule, roles: rule.scopes } })
}
