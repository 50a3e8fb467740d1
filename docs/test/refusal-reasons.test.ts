import t from 'tap'
import { filesBelow, read } from './repository.js'

const [, union = ''] =
  read('packages/resource-server/src/errors.ts').match(/RefusalReason =([^]*?)\n\n/) ?? []
const reasons = [...union.matchAll(/'(\w+)'/g)].map(([, reason]) => reason).sort()

const namesIn = (text: string): string[] => [...text.matchAll(/`(\w+)`/g)].map(([, name = '']) => name).sort()

t.test('every reason for a refusal is explained, and no other is', async t => {
  t.ok(reasons.includes('expired'))
  const [, table = ''] = read('docs/issuers/README.md').match(/## What the log says([^]*)/) ?? []
  const rows = [...table.matchAll(/^\| (`[^|]*`) +\|/gm)].map(([, cell = '']) => cell)
  t.strictSame(namesIn(rows.filter(cell => cell !== '`reason`').join()), reasons)

  const [, list = ''] =
    read('packages/resource-server/README.md').match(/one of these values: ([^.]*)\./) ?? []
  t.strictSame(namesIn(list), reasons)
})

t.test('reasons that the pages of issuers name exist', async t => {
  for (const page of filesBelow('docs/issuers', '.md'))
    for (const [, reason = ''] of read(page).matchAll(/`reason: (\w+)`/g))
      t.ok(reasons.includes(reason), `${page}: ${reason}`)
})
