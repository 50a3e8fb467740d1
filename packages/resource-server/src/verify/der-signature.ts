/**
 * An ECDSA signature as JOSE has it, r‖s in full length (RFC 7518 §3.4), in the encoding of X.509 (RFC 3279 §2.2.3): a
 * DER sequence of two integers. `node:crypto` takes the former too, but by an object around the key, which on Node 24
 * costs 33 µs, more than a third of the verification.
 * @param size length of r and of s in bytes
 * @returns undefined when the signature has another length
 */
export function toDer(signature: Buffer, size: number): Buffer | undefined {
  if (signature.length !== 2 * size) return undefined
  const [r, s] = [shortest(signature.subarray(0, size)), shortest(signature.subarray(size))]
  const length = lengthOf(r) + lengthOf(s)
  // No curve needs more than one byte for the length.
  const start = length < 0x80 ? [0x30, length] : [0x30, 0x81, length]
  const der = Buffer.allocUnsafe(start.length + length)
  der.set(start)
  writeInteger(der, start.length, r)
  writeInteger(der, start.length + lengthOf(r), s)
  return der
}

/** Without the zeros in front, except for a last one. */
function shortest(integer: Buffer): Buffer {
  let start = 0
  while (start < integer.length - 1 && integer[start] === 0) start += 1
  return integer.subarray(start)
}

/** An integer whose first bit is set gets a zero in front: it is not negative. */
function signOf(integer: Buffer): 0 | 1 {
  return (integer[0] ?? 0) < 0x80 ? 0 : 1
}

function lengthOf(integer: Buffer): number {
  return 2 + signOf(integer) + integer.length
}

function writeInteger(der: Buffer, at: number, integer: Buffer): void {
  der[at] = 0x02
  der[at + 1] = signOf(integer) + integer.length
  der[at + 2] = 0
  der.set(integer, at + 2 + signOf(integer))
}
