import type { TSchema } from 'typebox'
import type { ClaimsOf, Scope, TokenClaims } from './oauth-types.js'
import type { Prefetch } from './options/options.js'
import { parseVerifierOptions, type VerifierOptions } from './options/verifier-options.js'
import type { ScopeHierarchy } from './options/scopes-option.js'
import { createTally, statsOf, type ResourceServerStats } from './stats.js'
import { createCachedVerifier, type CachedVerifier } from './verifier.js'
import { verifiesTokens, type VerifiesTokens } from './verifies-tokens.js'

/** Verifies access tokens without Fastify. */
export interface Verifier<S extends string = Scope, C = TokenClaims> extends VerifiesTokens<S, C> {
  /** Returns the numbers of accepted and refused tokens, and the state of each issuer's keys. */
  stats(): ResourceServerStats
  /**
   * Closes the connections to the issuers. After that, no keys can be fetched, so a token signed with a key that is not
   * cached is refused with the reason `unavailable`.
   */
  close(): Promise<void>
}

/**
 * The type of a token's claims: inferred from the schema in the option `claims`, or declared in `OAuthTypes` if there
 * is no schema.
 */
type ClaimsBy<C extends TSchema> = TSchema extends C ? TokenClaims : ClaimsOf<C>

/**
 * Creates a verifier for access tokens outside Fastify, for example in queue consumers and scripts. The verifier makes
 * the same checks as the plugin.
 *
 * @example
 * ```ts
 * const verifier = await createVerifier({ issuer, audience, scopes: ['receipts:write'] })
 * const { clientId } = await verifier.verify(message.token, { scopes: ['receipts:write'] })
 * ```
 * @throws {InvalidOptionError} if an option is invalid. The message contains the option, the value received and the
 * value expected
 * @throws {IssuerError} if `prefetch` is `'required'` and the issuer's keys cannot be fetched
 */
export async function createVerifier<const S extends string = Scope, C extends TSchema = TSchema>(
  options: VerifierOptions<S, C, readonly S[]>,
): Promise<Verifier<S, ClaimsBy<C>>>
export async function createVerifier<S extends string = Scope, C extends TSchema = TSchema>(
  options: VerifierOptions<S, C, ScopeHierarchy<S>>,
): Promise<Verifier<S, ClaimsBy<C>>>
export async function createVerifier<S extends string = Scope, C extends TSchema = TSchema>(
  options: VerifierOptions<S, C>,
): Promise<Verifier<S, ClaimsBy<C>>>
export async function createVerifier<S extends string, C extends TSchema>(
  options: VerifierOptions<S, C>,
): Promise<Verifier<S, ClaimsBy<C>>> {
  const { settings, log } = parseVerifierOptions(options)
  const verifier = await createCachedVerifier(settings, log)
  const tally = createTally()
  await startRevocations(verifier)
  await prefetchKeys(verifier, settings.prefetch)
  return Object.freeze({
    // The cast is safe: `S` and `C` are inferred from the options, and the verifier enforces those options.
    ...(verifiesTokens({ verifier, settings, log, tally }, '') as VerifiesTokens<S, ClaimsBy<C>>),
    stats: () => statsOf(tally, verifier.state()),
    close: () => verifier.close(),
  })
}

/** Waits for the keys only if `prefetch` is `'required'`, and throws if they cannot be fetched. */
async function prefetchKeys(verifier: CachedVerifier, prefetch: Prefetch): Promise<void> {
  if (prefetch === 'lazy') return
  const loaded = verifier.loadKeys()
  if (prefetch === 'background') return void loaded.catch(() => {}) // If the keys could not be fetched, the failure has already been logged.
  await loaded.catch(async (error: unknown) => {
    await verifier.close()
    throw error
  })
}

async function startRevocations(verifier: CachedVerifier): Promise<void> {
  await verifier.revocations?.start().catch(async (error: unknown) => {
    await verifier.close()
    throw error
  })
}
