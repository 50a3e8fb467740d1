export {
  permissions,
  type Clients,
  type Grant,
  type Permission,
  type PermissionTable,
  type PermittedClient,
} from './permissions.js'
export { contractFromOpenApi, type GeneratedContract } from './openapi/contract-from-openapi.js'
export { OpenApiError } from './openapi/errors.js'
export type { FromOpenApiOptions } from './openapi/options.js'
