import { generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { toDer } from '#src/signature/der-signature.js'

const curves = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const

for (const [namedCurve, size] of Object.entries(curves)) {
  t.test(`${namedCurve}: gives the same result as the r‖s encoding of node:crypto`, async t => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
    const data = Buffer.from('what is signed')
    const bySequence = (signature: Buffer): boolean => {
      const der = toDer(signature, size)
      return der !== undefined && verify('sha256', data, publicKey, der)
    }
    const byHalves = (signature: Buffer): boolean =>
      verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)

    // Leading zeros and leading ones come up by themselves: one signature in 128, and every second one.
    for (let count = 0; count < 400; count += 1) {
      const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
      t.ok(bySequence(signature), signature.toString('hex'))
    }
    const good = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    const other = fc.oneof(
      fc.uint8Array({ minLength: 2 * size, maxLength: 2 * size }),
      fc.uint8Array({ maxLength: 3 * size }),
      fc.nat(good.length - 1).map(at => good.map((byte, index) => (index === at ? byte ^ 1 : byte))),
      fc.nat(good.length).map(zeros => Buffer.concat([Buffer.alloc(zeros), good.subarray(zeros)])),
    )
    fc.assert(
      fc.property(other, bytes => bySequence(Buffer.from(bytes)) === byHalves(Buffer.from(bytes))),
      { seed: 20_260_101, numRuns: 300 },
    )
  })
}

const half = (...bytes: number[]): number[] => [...Array<number>(32 - bytes.length).fill(0), ...bytes]
const der = (r: number[], s: number[]): string | undefined =>
  toDer(Buffer.from([...r, ...s]), 32)?.toString('hex')

t.test('encodes integers in minimal length', async t => {
  t.equal(der(half(1), half(2)), '3006020101020102')
  t.equal(der(half(0x7f), half(0x80)), '300702017f02020080')
  t.equal(der(half(), half(0)), '3006020100020100')
  t.equal(der(half(1, 0), half(0xff, 0xff)), '300902020100020300ffff')
  t.equal(toDer(Buffer.alloc(132, 0xff), 66)?.subarray(0, 6).toString('hex'), '30818a024300')
})

t.test('rejects a signature of another length', async t => {
  for (const length of [0, 1, 63, 65, 66, 72, 128]) t.equal(toDer(Buffer.alloc(length, 1), 32), undefined)
})
