// Writes, for each package, what it makes public: a report that reviews read (NAME.api.md) and a reference
// that users read (NAME.md). With --check nothing is written; a difference is an error.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { Application } from 'typedoc'

const root = fileURLToPath(new URL('..', import.meta.url))
const committed = join(root, 'docs/api')
const fresh = mkdtempSync(join(tmpdir(), 'api-'))
const packages = readdirSync(join(root, 'packages')).filter(name => !name.startsWith('.'))

/** The public surface, name by name and type by type. */
function report(name) {
  const folder = join(root, 'packages', name)
  const { succeeded } = Extractor.invoke(
    ExtractorConfig.prepare({
      configObject: {
        projectFolder: folder,
        mainEntryPointFilePath: join(folder, 'dist/index.d.ts'),
        newlineKind: 'lf',
        compiler: {
          overrideTsconfig: {
            compilerOptions: {
              target: 'es2022',
              module: 'nodenext',
              strict: true,
              types: ['node'],
              skipLibCheck: true,
            },
            include: [join(folder, 'dist/**/*.d.ts')],
          },
          skipLibCheck: true,
        },
        apiReport: {
          enabled: true,
          reportFileName: `${name}.api.md`,
          reportFolder: fresh,
          reportTempFolder: join(fresh, 'temp'),
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        },
      },
      configObjectFullPath: undefined,
      packageJsonFullPath: join(folder, 'package.json'),
    }),
    { localBuild: true, showVerboseMessages: false, messageCallback: message => (message.handled = true) },
  )
  if (!succeeded) throw new Error(`api-extractor failed for ${name}`)
}

/** The same surface with its doc comments, for reading. */
async function reference(name) {
  const out = join(fresh, 'reference', name)
  const app = await Application.bootstrapWithPlugins({
    entryPoints: [join(root, 'packages', name, 'src/index.ts')],
    tsconfig: join(root, 'packages', name, 'tsconfig.json'),
    skipErrorChecking: true,
    plugin: ['typedoc-plugin-markdown'],
    readme: 'none',
    disableSources: true,
    excludeInternal: true,
    excludeExternals: true,
    logLevel: 'Error',
    name: JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).name,
    out,
    outputFileStrategy: 'modules',
    hidePageHeader: true,
    hideBreadcrumbs: true,
    entryFileName: name,
    useCodeBlocks: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    enumMembersFormat: 'table',
  })
  const project = await app.convert()
  if (project === undefined) throw new Error(`typedoc failed for ${name}`)
  await app.generateOutputs(project)
  const page = readdirSync(out).find(file => file.endsWith('.md'))
  writeFileSync(join(fresh, `${name}.md`), withoutDeadAnchors(readFileSync(join(out, page), 'utf8')))
}

/** The plugin counts names, not headings: where a method and a type share one, it links to a second heading that isn't there. */
function withoutDeadAnchors(text) {
  const headings = new Set([...text.matchAll(/^#+ (\w+)/gm)].map(([, heading]) => heading.toLowerCase()))
  return text.replaceAll(/\]\(#(\w+)-1\)/g, (link, name) =>
    headings.has(name) && text.match(new RegExp(`^#+ ${name}\\b`, 'gim')).length === 1 ? `](#${name})` : link,
  )
}

for (const name of packages) {
  report(name)
  if (!process.argv.includes('--report')) await reference(name)
}

const pages = readdirSync(fresh).filter(file => file.endsWith('.md'))
if (process.argv.includes('--check')) {
  const stale = pages.filter(page => {
    try {
      return readFileSync(join(committed, page), 'utf8') !== readFileSync(join(fresh, page), 'utf8')
    } catch {
      return true
    }
  })
  for (const page of stale) {
    console.log(`docs/api/${page} is not what the sources say. If the change is meant: pnpm api`)
  }
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  mkdirSync(committed, { recursive: true })
  for (const page of pages) cpSync(join(fresh, page), join(committed, page))
}
rmSync(fresh, { recursive: true, force: true })
