import type { TestIssuer } from '../test-issuer.js'
import type { TokenOptions } from '../token-options.js'
import type { ProtectedRoute } from './protected-route.js'

/** Options of `expectProtected()`. */
export interface ExpectProtectedOptions {
  /** The issuer that the application trusts. */
  readonly issuer: TestIssuer
  /** The audience of the valid token. Default: the issuer's `audience`. */
  readonly audience?: string | readonly string[]
  /** The routes to check. Default: every protected route that fastify-resource-server lists. */
  readonly routes?: readonly ProtectedRoute[]
  /** Additional options for the valid token, such as claims that the application requires. */
  readonly token?: TokenOptions
}
