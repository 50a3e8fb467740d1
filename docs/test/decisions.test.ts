import t from 'tap'
import { filesBelow, read } from './repository.js'

t.test('every decision says what, why and what would change it, and is in the index', async t => {
  const index = read('docs/decisions/README.md')
  const pages = filesBelow('docs/decisions', '.md').filter(page => !page.endsWith('README.md'))
  t.ok(pages.length > 0)
  for (const page of pages) {
    const text = read(page)
    for (const part of ['**Decision.**', '**Why.**', '**What would change it.**'])
      t.match(text, part, `${page} has ${part}`)
    t.match(index, `(${page.slice('docs/decisions/'.length)})`, `${page} is listed`)
  }
})
