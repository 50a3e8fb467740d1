// Bundles a package before it is packed: from dist/ into lib/. Node loads one file far faster than a hundred.
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'

const { publishConfig } = JSON.parse(readFileSync('package.json', 'utf8'))
const published = [publishConfig.exports['.'].default, ...Object.values(publishConfig.bin ?? {})]

/** Users' bundlers follow a `require` in a CommonJS file only, so such a file stays as it is. */
const keepCommonJs = {
  name: 'keep CommonJS',
  setup({ onResolve }) {
    onResolve({ filter: /\.cjs$/ }, ({ path, resolveDir }) => {
      const name = basename(path)
      copyFileSync(join(resolveDir, path), join('lib', name))
      return { path: `./${name}`, external: true }
    })
  },
}

rmSync('lib', { recursive: true, force: true })
mkdirSync('lib')
await build({
  entryPoints: published.map(file => file.replace('./lib/', './dist/')),
  outdir: 'lib',
  bundle: true,
  splitting: true,
  chunkNames: 'shared-[hash]',
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  logLevel: 'warning',
  plugins: [keepCommonJs],
})
