import t from 'tap'
import { createReplayMemory } from '#src/binding/replay-store.js'

const ttlMs = 120_000

t.test('an id is kept for its time, and not for ever', async t => {
  let now = 1_800_000_000_000
  const memory = createReplayMemory(() => now)
  t.equal(memory.add('first', ttlMs), true)
  now += ttlMs - 1
  t.equal(memory.add('first', ttlMs), false)
  t.equal(memory.add('second', ttlMs), true)
  now += ttlMs - 1
  t.equal(memory.add('second', ttlMs), false, 'however late in its generation it came')
  now += ttlMs
  t.equal(memory.add('first', ttlMs), true)
  now += 10 * ttlMs
  t.equal(memory.add('second', ttlMs), true, 'also after nothing came for long')
})

t.test('a clock that is set back by hours lets nothing in twice, and keeps nothing for hours', async t => {
  let now = 1_800_000_000_000
  const memory = createReplayMemory(() => now)
  memory.add('before', ttlMs)
  now -= 10_800_000
  t.equal(memory.add('before', ttlMs), false)
  t.equal(memory.add('after', ttlMs), true)
  now += ttlMs
  t.equal(memory.add('after', ttlMs), false)
  now += ttlMs
  t.equal(memory.add('later', ttlMs), true)
  t.equal(memory.add('after', ttlMs), true)
})
