import { Buffer } from 'node:buffer'

/**
 * An ECDSA signature as JOSE has it, r‖s in full length (RFC 7518 §3.4), in the encoding of X.509 (RFC 3279 §2.2.3): a
 * DER sequence of two integers. `node:crypto` takes the former too, but by an object around the key, which on Node 24
 * costs 33 µs, more than a third of the verification.
 * @param size length of r and of s in bytes
 * @returns undefined when the signature has another length
 */
export function toDer(signature: Buffer, size: number): Buffer | undefined {
  if (signature.length !== 2 * size) return undefined
  const r = integerIn(signature, 0, size)
  const s = integerIn(signature, size, 2 * size)
  const length = 2 + r.length + 2 + s.length
  // No curve needs more than one byte for the length.
  const start = length < 0x80 ? 2 : 3
  const der = Buffer.allocUnsafe(start + length)
  der[0] = 0x30
  der[1] = 0x81
  der[start - 1] = length
  writeInteger(der, start, signature, r)
  writeInteger(der, start + 2 + r.length, signature, s)
  return der
}

/** Where an integer stands, without the zeros in front, and how long it is in DER. */
interface Integer {
  readonly from: number
  readonly end: number
  /** One more than its bytes where its first bit is set: a zero in front says that it is not negative. */
  readonly length: number
}

function integerIn(signature: Buffer, start: number, end: number): Integer {
  let from = start
  while (from < end - 1 && signature[from] === 0) from += 1
  return { from, end, length: end - from + ((signature[from] ?? 0) >> 7) }
}

function writeInteger(der: Buffer, at: number, signature: Buffer, { from, end, length }: Integer): void {
  der[at] = 0x02
  der[at + 1] = length
  der[at + 2] = 0
  signature.copy(der, at + 2 + length - (end - from), from, end)
}
