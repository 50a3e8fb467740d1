// Finds the test files: `test/**/*.test.ts` of each package, the demo and the docs, and their compiled files.
import { existsSync, readdirSync } from 'node:fs'

const areas = ['demo', 'docs', 'benchmarks', ...readdirSync('packages').map(name => `packages/${name}`)]

/** These files start first, because a long file that starts last would run alone at the end. */
const longest = [
  'demo/test/browser-switches.test.ts',
  'demo/test/browser-pages.test.ts',
  'packages/api-contract/test/types.test.ts',
  'docs/test/code-blocks.test.ts',
  'packages/test-issuer/test/expect-protected.test.ts',
  'packages/resource-server/test/attacks/cache-changes-nothing.test.ts',
  'demo/test/kill.test.ts',
  'demo/test/start.test.ts',
  'docs/test/api-report.test.ts',
  'demo/test/faults.test.ts',
  'demo/test/browser-buying.test.ts',
  'demo/test/receipts.test.ts',
  'packages/test-issuer/test/hostile-requests.test.ts',
  'packages/resource-server/test/der-signature.test.ts',
]

/**
 * Returns the selected test files, compiled, as paths from the root.
 * Compiled files without a source are ignored, and a source that is not compiled is an error.
 * @param selections parts of paths, of the source or of the compiled file; an empty list selects all files
 */
export function selectTestFiles(selections) {
  const files = areas.flatMap(testFilesOf)
  const wanted = selections.map(selection => selection.replaceAll('\\', '/').replace(/^\.\//, ''))
  for (const part of wanted)
    if (!files.some(file => matches(file, part))) throw new Error(`No test file matches "${part}".`)
  const selected = files.filter(file => wanted.length === 0 || wanted.some(part => matches(file, part)))
  for (const { source, compiled } of selected)
    if (!existsSync(compiled))
      throw new Error(`${source} is not compiled: expected ${compiled}. Is it excluded by a tsconfig.json?`)
  return selected.toSorted((a, b) => orderOf(a) - orderOf(b)).map(({ compiled }) => compiled)
}

function orderOf({ source }) {
  const index = longest.indexOf(source)
  return index === -1 ? longest.length : index
}

function matches({ source, compiled }, part) {
  return source.includes(part) || compiled.includes(part)
}

function testFilesOf(area) {
  if (!existsSync(`${area}/test`)) return []
  return readdirSync(`${area}/test`, { recursive: true })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => file.endsWith('.test.ts'))
    .map(file => ({
      source: `${area}/test/${file}`,
      compiled: `${area}/.test/${file.replace(/\.ts$/, '.js')}`,
    }))
}
