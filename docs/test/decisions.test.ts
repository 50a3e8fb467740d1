import t from 'tap'
import { filesBelow, read } from './repository.js'

const parts = ['Decision', 'Why', 'Consequences', 'What would change this decision']

t.test('every decision has the same four parts, and is in the index', async t => {
  const index = read('docs/decisions/README.md')
  const pages = filesBelow('docs/decisions', '.md').filter(page => !page.endsWith('README.md'))
  t.ok(pages.length > 0)
  for (const page of pages) {
    const text = read(page)
    const found = [...text.matchAll(/^\*\*([A-Z][a-z ]+)\.\*\*/gm)].map(([, part]) => part)
    t.strictSame(found, parts, page)
    t.match(index, `(${page.slice('docs/decisions/'.length)})`, `${page} is listed`)
  }
})
