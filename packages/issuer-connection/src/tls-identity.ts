import { X509Certificate } from 'node:crypto'
import { checkPair } from './authenticate/certificate-header.js'
import type { PrivateKeyInput } from './authenticate/private-key.js'
import { provide, type Provided } from './authenticate/provide.js'
import { messageOf } from './errors.js'
import type { TlsSettings } from './open-dispatcher.js'

/** The TLS settings that connections use until the client certificate is replaced. */
export interface TlsIdentity {
  /** This property is not enumerable, because the settings contain the private key. */
  readonly tls: TlsSettings
  /** A number that increases each time the certificate changes. */
  readonly version: number
  /** The expiry time of the certificate, in milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Fixed TLS settings, or a function that returns the current client certificate. */
export type TlsSource = TlsSettings | (() => Promise<TlsIdentity>)

/** A client certificate that can be replaced while the process runs. */
export interface ReloadedCertificate {
  readonly ca?: string
  /** The certificate in PEM format, followed by its chain. */
  readonly certificate: Provided<string>
  /** PEM. */
  readonly privateKey: Provided<PrivateKeyInput>
}

/** Converts fixed TLS settings to a TLS identity that never changes. */
export function fixedIdentity(tls: TlsSettings): TlsIdentity {
  return identityOf(tls, 0, Infinity)
}

/**
 * Returns a function that reads the current certificate and private key. As long as both are unchanged, the function
 * returns the same object. The function rejects if the certificate and the key do not match or cannot be read.
 */
export function reloadIdentity(source: ReloadedCertificate): Exclude<TlsSource, TlsSettings> {
  let current: TlsIdentity | undefined
  let reads = 0

  async function read(): Promise<TlsIdentity> {
    reads += 1
    const version = reads
    const pair = await readPair(source)
    // If a later read has already finished, its newer result is kept.
    if (current !== undefined && (current.version > version || isSame(current.tls, pair))) return current
    const expiresAt = expiryOf(pair)
    current = identityOf(
      { ...(source.ca === undefined ? {} : { ca: source.ca }), ...pair },
      version,
      expiresAt,
    )
    return current
  }

  // If the certificate and key do not match, both are read again, because one of them may just have been replaced.
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
    throw new UnusablePair('the client certificate and its private key must be text in PEM format')
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
