// Before a release: tells npm where the packages come from, which provenance has to match. The workflow knows; a fork's says its own.
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
