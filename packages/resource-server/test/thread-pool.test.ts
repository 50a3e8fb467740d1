import t from 'tap'
import { createThreadPool } from '#src/signature/thread-pool.js'
import { startBench } from './protected-app.js'
import { makeKey } from './hand-made-issuer.js'

t.test('verifies a single signature on the main thread and bursts in the pool', async t => {
  let now = 0
  const pool = createThreadPool(true, () => now)
  t.equal(pool.takesNext(), false, 'the first')
  now += 0.5
  t.equal(pool.takesNext(), true, 'one right after it')
  now += 5
  t.equal(pool.takesNext(), false, 'one after a while')
})

t.test('frees a slot after each verification, successful or not', async t => {
  const pool = createThreadPool(true, () => 0)
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const works: Promise<void>[] = []
  pool.takesNext()
  while (pool.takesNext())
    works.push(pool.run(new Promise<void>((resolve, reject) => ends.push({ resolve, reject }))))
  t.equal(works.length, 256, 'file system and name look-ups share the pool')
  ends[0]?.resolve()
  ends[1]?.reject(new Error('no'))
  await works[0]
  await t.rejects(works[1] ?? Promise.resolve())
  for (const takes of [true, true, false]) {
    t.equal(pool.takesNext(), takes)
    if (takes) void pool.run(new Promise<void>(() => {}))
  }
})

t.test('never uses a disabled pool', async t => {
  const pool = createThreadPool(false, () => 0)
  t.equal(pool.takesNext(), false)
  t.equal(pool.takesNext(), false)
})

for (const verifyInThreadPool of [true, false])
  t.test(
    `verifies many new tokens at once ${verifyInThreadPool ? 'with' : 'without'} the thread pool`,
    async t => {
      const bench = await startBench(t, { verifyInThreadPool })
      const stranger = makeKey('first')
      const answers = await Promise.all(
        Array.from({ length: 60 }, async (_, index) => {
          if (index % 3 === 1) return bench.call(bench.token({ jti: `${index}` }, {}, stranger))
          if (index % 3 === 2) return bench.call(bench.token({ jti: `${index}`, scope: 'write' }))
          return bench.call(bench.token({ jti: `${index}` }))
        }),
      )
      answers.forEach(({ statusCode, headers }, index) => {
        t.equal(statusCode, [200, 401, 403][index % 3], `token ${index}`)
        if (index % 3 === 1) t.match(headers['www-authenticate'], 'error="invalid_token"')
      })
      const refused = bench.logged.filter(({ reason }) => reason === 'signature')
      t.equal(refused.length, 20)
      for (const line of refused) t.match(line, { issuer: bench.issuer.url, kid: 'first' })
    },
  )

t.test('does cheap checks before it looks for the key', async t => {
  const bench = await startBench(t)
  t.equal((await bench.call(bench.token())).statusCode, 200)
  const { length } = bench.issuer.asked
  const stranger = makeKey('unknown')
  for (const claims of [
    { exp: 1 },
    { aud: 'https://other.example.com' },
    { iss: 'https://other.example.com' },
  ])
    t.equal((await bench.call(bench.token(claims, { kid: 'unknown' }, stranger))).statusCode, 401)
  t.equal(bench.issuer.asked.length, length, 'the issuer has not been asked')
})
