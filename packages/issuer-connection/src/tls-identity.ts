import { X509Certificate } from 'node:crypto'
import { checkPair } from './authenticate/certificate-header.js'
import type { PrivateKeyInput } from './authenticate/private-key.js'
import { provide, type Provided } from './authenticate/provide.js'
import { messageOf } from './errors.js'
import type { TlsSettings } from './open-dispatcher.js'

/** What connections are opened with until the client certificate is replaced. */
export interface TlsIdentity {
  /** Not enumerable: it holds the private key. */
  readonly tls: TlsSettings
  /** Greater for each newer certificate. */
  readonly version: number
  /** When the certificate expires, in milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Settings that stay, or a function that gives the current identity. */
export type TlsSource = TlsSettings | (() => Promise<TlsIdentity>)

/** A client certificate that may be replaced while the process runs. */
export interface ReloadedCertificate {
  readonly ca?: string
  /** PEM, followed by its chain. */
  readonly certificate: Provided<string>
  /** PEM. */
  readonly privateKey: Provided<PrivateKeyInput>
}

/** An identity that stays. */
export function fixedIdentity(tls: TlsSettings): TlsIdentity {
  return identityOf(tls, 0, Infinity)
}

/**
 * Reads certificate and key whenever the returned function is called; the result is the same object until one of them
 * changes. It rejects if the pair is unusable, or if the caller's functions do.
 */
export function reloadIdentity(source: ReloadedCertificate): Exclude<TlsSource, TlsSettings> {
  let current: TlsIdentity | undefined
  let reads = 0

  async function read(): Promise<TlsIdentity> {
    reads += 1
    const version = reads
    const pair = await readPair(source)
    // A read that began later may have ended earlier.
    if (current !== undefined && (current.version > version || isSame(current.tls, pair))) return current
    const expiresAt = expiryOf(pair)
    current = identityOf(
      { ...(source.ca === undefined ? {} : { ca: source.ca }), ...pair },
      version,
      expiresAt,
    )
    return current
  }

  // The certificate and the key may have been replaced between the two reads, so a pair that does not fit is read again.
  return () =>
    read().catch((error: unknown) => (error instanceof UnusablePair ? read() : Promise.reject(error)))
}

type Pair = Required<Pick<TlsSettings, 'cert' | 'key'>>

class UnusablePair extends TypeError {}

async function readPair({ certificate, privateKey }: ReloadedCertificate): Promise<Pair> {
  const context = { refused: false }
  const [cert, key]: unknown[] = await Promise.all([
    provide(certificate, context),
    provide(privateKey, context),
  ])
  if (typeof cert !== 'string' || typeof key !== 'string')
    throw new UnusablePair('the client certificate and its key have to be PEM text')
  return { cert, key }
}

function isSame({ cert, key }: TlsSettings, pair: Pair): boolean {
  return cert === pair.cert && key === pair.key
}

function expiryOf({ cert, key }: Pair): number {
  try {
    checkPair(cert, key)
    return Date.parse(new X509Certificate(cert).validTo)
  } catch (error) {
    throw new UnusablePair(`the client certificate cannot be used: ${messageOf(error)}`)
  }
}

function identityOf(tls: TlsSettings, version: number, expiresAt: number): TlsIdentity {
  const identity = { version, expiresAt } as TlsIdentity // `tls` is added below
  return Object.freeze(Object.defineProperty(identity, 'tls', { value: tls, enumerable: false }))
}
