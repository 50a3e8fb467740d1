// Removes all files that a build, a test run or the demo creates.
import { readdirSync, rmSync } from 'node:fs'

const leftovers = ['dist', 'lib', '.test', '.tap', '.demo']
const folders = [
  '.',
  'demo',
  'docs',
  'benchmarks',
  'test-support',
  ...readdirSync('packages').map(name => `packages/${name}`),
]
for (const folder of folders)
  for (const name of leftovers) rmSync(`${folder}/${name}`, { recursive: true, force: true })
