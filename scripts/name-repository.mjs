// Before a release: writes the repository of the workflow into each package.json, because npm compares it with the
// provenance. In a fork, this is the fork's repository.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'

const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env
if (!server || !repository)
  throw new Error('GITHUB_SERVER_URL and GITHUB_REPOSITORY are not set: this is for the release workflow')
const url = `${server}/${repository}`

for (const name of readdirSync('packages')) {
  const file = `packages/${name}/package.json`
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  const named = {
    ...manifest,
    homepage: `${url}/tree/main/packages/${name}#readme`,
    bugs: `${url}/issues`,
    repository: { type: 'git', url: `git+${url}.git`, directory: `packages/${name}` },
  }
  writeFileSync(file, `${JSON.stringify(named, undefined, 2)}\n`)
}
