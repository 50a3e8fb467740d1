// Imported before tap by tests that need a newer Node.js than the one that runs them: with the path of one in `NEWER_NODE`,
// as `.ci/run` sets it, the whole test file runs there instead. Otherwise such tests are skipped.
import { spawnSync } from 'node:child_process'
import { hasMlDsa } from '#src/keys/algorithms.js'

const { NEWER_NODE: newer, ...env } = process.env
const [, file = ''] = process.argv
if (newer !== undefined && !hasMlDsa()) {
  const { status } = spawnSync(newer, [file], { stdio: 'inherit', env })
  process.exit(status ?? 1)
}
