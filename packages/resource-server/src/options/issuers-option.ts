import {
  contain,
  isPlainObject,
  kindOf,
  listOf,
  parser,
  type Given,
  type Parser,
  type Place,
} from 'declared-options'
import { InvalidOptionError, Refusal } from '../errors.js'
import { checkAudiences, type OfferedApi } from './api-option.js'
import {
  issuerOptionNames,
  readIssuer,
  type IssuerOptions,
  type IssuerSettings,
  type SharedRules,
} from './issuer-options.js'

/**
 * A function that looks up the options of an issuer, for example in a database of tenants.
 * @param issuer the `iss` claim of an unverified token. It is a valid issuer URL of at most 512 characters
 * @returns the issuer's options, without `introspection`. Undefined or null if the issuer is not trusted
 */
export type ResolveIssuer = (
  issuer: string,
) => IssuerOptions | undefined | null | Promise<IssuerOptions | undefined | null>

/**
 * Looks up an issuer and validates its options. Rejects if the function in the `issuers` option throws or returns an
 * invalid result.
 */
export type ResolveSettings = (issuer: string) => Promise<IssuerSettings | Refusal>

/** The configured issuers, or the function that looks up issuers. */
export interface Issuers {
  readonly issuers: readonly IssuerSettings[]
  readonly resolveIssuer: ResolveSettings | undefined
}

/** The checks that apply to every issuer, whether it is configured or looked up. */
interface IssuerChecks extends SharedRules {
  readonly api: OfferedApi | undefined
}

type ReadIssuer = (given: Given, place: Place) => IssuerSettings

/**
 * Parses the options of a single issuer at the top level, or the list or function in the `issuers` option.
 * @throws {InvalidOptionError}
 */
export function readIssuers(given: Given, { api, ...shared }: IssuerChecks, place: Place): Issuers {
  const { issuers } = given
  const read: ReadIssuer = (options, at) => {
    const settings = readIssuer(options, shared, at)
    checkAudiences(settings.rules.audiences, api, at)
    return settings
  }
  if (issuers === undefined) {
    const own = Object.entries(given).filter(([name]) => issuerOptionNames.includes(name))
    return { issuers: [read(Object.fromEntries(own), place)], resolveIssuer: undefined }
  }
  refuseBeside(given)
  if (typeof issuers === 'function')
    return { issuers: [], resolveIssuer: settingsResolver(issuers as ResolveIssuer, read, place) }
  const several = contain('option `issuers`', { ...place, option: 'issuers' }, at =>
    severalIssuers(read).read(issuers, at),
  )
  refuseRepeated(several.map(({ rules }) => rules.issuer))
  return { issuers: several, resolveIssuer: undefined }
}

function severalIssuers(read: ReadIssuer): Parser<readonly IssuerSettings[]> {
  return listOf(
    parser({
      expected: "an object such as { issuer: 'https://…', audience: '…' }",
      read: (value, place) => (isPlainObject(value) ? read(value, place) : undefined),
    }),
    "a list such as [{ issuer: 'https://…', audience: '…' }], or a function that looks up an issuer",
  )
}

function settingsResolver(resolve: ResolveIssuer, read: ReadIssuer, place: Place): ResolveSettings {
  return async name => {
    const given: unknown = await resolve(name)
    // Null counts as undefined, because some database clients return null if no record is found.
    if (given === undefined || given === null)
      return new Refusal('issuer', 'the function `issuers` does not trust this issuer')
    const settings = contain('the result of the function `issuers`', { ...place, option: 'issuers()' }, at =>
      readResolved(given, read, at),
    )
    // The issuer in the options must equal the `iss` claim exactly. The application's database may return the options of another issuer if its lookup ignores case or a trailing slash.
    return settings.rules.issuer === name
      ? settings
      : new Refusal(
          'issuer',
          `the function \`issuers\` returned the options of another issuer: ${settings.rules.issuer}`,
        )
  }
}

function readResolved(given: unknown, read: ReadIssuer, place: Place): IssuerSettings {
  if (!isPlainObject(given))
    throw place.toError(
      `the function \`issuers\` returned ${kindOf(given)}; expected a plain object with the options of the issuer, or undefined or null`,
    )
  const settings = read(given, place)
  if (settings.introspection !== undefined)
    throw place.toError(
      'option `issuers().introspection` has no effect, because an opaque token does not name its issuer; remove it',
    )
  return settings
}

function refuseBeside(given: Given): void {
  for (const name of issuerOptionNames)
    if (given[name] !== undefined)
      throw new InvalidOptionError(
        `option \`${name}\` cannot be combined with \`issuers\`; move it into each member of \`issuers\`, or remove \`issuers\``,
      )
}

function refuseRepeated(issuers: readonly string[]): void {
  const repeated = issuers.find((issuer, index) => issuers.indexOf(issuer) !== index)
  if (repeated !== undefined)
    throw new InvalidOptionError(
      `option \`issuers\` lists ${repeated} twice; list the issuer once, with all its audiences`,
    )
}
