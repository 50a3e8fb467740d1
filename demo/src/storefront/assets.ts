import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { FastifyInstance } from 'fastify'

/** Files that pages load, by the name in their URL. The fonts come from npm packages, so no other host is contacted. */
const { resolve } = createRequire(import.meta.url)
const own = (name: string): URL => new URL(`../../src/storefront/assets/${name}`, import.meta.url)
const files: Readonly<Record<string, { readonly type: string; readonly at: string | URL }>> = {
  'shop.css': { type: 'text/css; charset=utf-8', at: own('shop.css') },
  'live.css': { type: 'text/css; charset=utf-8', at: own('live.css') },
  'token-flow.js': { type: 'text/javascript; charset=utf-8', at: own('token-flow.js') },
  'order-state.js': { type: 'text/javascript; charset=utf-8', at: own('order-state.js') },
  'mark.svg': { type: 'image/svg+xml', at: own('mark.svg') },
  'fraunces.woff2': {
    type: 'font/woff2',
    at: resolve('@fontsource-variable/fraunces/files/fraunces-latin-standard-normal.woff2'),
  },
  'figtree.woff2': {
    type: 'font/woff2',
    at: resolve('@fontsource-variable/figtree/files/figtree-latin-wght-normal.woff2'),
  },
}

const forGood = 'public, max-age=31536000, immutable'
/** For a URL without a version, which the receipt's page uses. */
const forAnHour = 'public, max-age=3600'

/**
 * Serves the files from memory. The returned function gives the URL of a file, which changes with its content, so
 * browsers may cache it forever.
 */
export function serveAssets(app: FastifyInstance): (name: string) => string {
  const versions = new Map<string, string>()
  // Style sheets come last, because they contain the versioned URLs of the fonts; a font with two URLs would be loaded
  // twice.
  for (const [name, { type, at }] of Object.entries(files).toSorted(([a], [b]) => rank(a) - rank(b))) {
    const content = name.endsWith('.css')
      ? withVersions(readFileSync(at, 'utf8'), versions)
      : readFileSync(at)
    const version = createHash('sha256').update(content).digest('base64url').slice(0, 10)
    versions.set(name, version)
    app.get(`/assets/${name}`, { logLevel: 'warn' }, async (request, reply) => {
      const isCurrent = (request.query as { v?: unknown }).v === version
      return reply
        .type(type)
        .header('cache-control', isCurrent ? forGood : forAnHour)
        .send(content)
    })
  }
  return name => {
    const version = versions.get(name)
    if (version === undefined) throw new Error(`there is no asset ${name}`)
    return `/assets/${name}?v=${version}`
  }
}

function rank(name: string): number {
  return name.endsWith('.css') ? 1 : 0
}

function withVersions(css: string, versions: ReadonlyMap<string, string>): string {
  return css.replaceAll(/url\('([\w.-]+)'\)/g, (_, name: string) => `url('${name}?v=${versions.get(name)}')`)
}
