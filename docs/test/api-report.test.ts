import { spawnSync } from 'node:child_process'
import t from 'tap'
import { root } from './repository.js'

t.test('the public surface is the one in docs/api/*.api.md', async t => {
  const { status, stdout, stderr } = spawnSync(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, 'docs/api.mjs', '--report', '--check'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  )
  t.equal(status, 0, `${stdout}${stderr}` || 'unchanged')
})
