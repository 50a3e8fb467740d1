import { EventEmitter, once } from 'node:events'
import fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import resourceServer, {
  type ResourceServerOptions,
  type RevocationOptions,
  type RevocationPage,
  type RevocationStore,
} from 'fastify-resource-server'
import { makeKey, signRaw } from './hand-made-issuer.js'
import { audience, registered } from './protected-app.js'

const key = makeKey('first')

/** A token of the issuer that all replicas trust. */
export function makeToken(changes: Record<string, unknown> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: registered.issuer, aud: audience, sub: 'payment', client_id: 'payment', jti: 'one' }
  return signRaw(
    { alg: 'ES256', typ: 'at+jwt', kid: 'first' },
    { ...claims, iat: now, exp: now + 3_600, ...changes },
    key,
  )
}

export interface Replica {
  readonly app: FastifyInstance
  readonly logged: Record<string, unknown>[]
  status(token: string): Promise<number>
  /** Resolves when a line with this message is logged, or was since the last call. */
  line(message: string): Promise<Record<string, unknown>>
}

/** One of several instances of the same API. */
export async function startReplica(
  t: Test,
  revocation: RevocationOptions,
  options: Partial<ResourceServerOptions> = {},
): Promise<Replica> {
  const logged: Record<string, unknown>[] = []
  let seen = 0
  const lines = new EventEmitter()
  const write = (text: string): void => {
    logged.push(JSON.parse(text) as Record<string, unknown>)
    lines.emit('line')
  }
  const app = fastify({ logger: { level: 'info', stream: { write } } })
  // As a server that listens does: what the plugin has to do later keeps no process alive.
  const alive = setInterval(() => {}, 60_000)
  t.teardown(() => {
    clearInterval(alive)
    return app.close()
  })
  await app.register(resourceServer, { ...registered, keys: [key.jwk], revocation, ...options })
  app.get('/', async () => 'in')
  await app.ready()
  return {
    app,
    logged,
    status: async token =>
      (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode,
    async line(message) {
      for (;;) {
        const index = logged.findIndex(({ msg }, at) => at >= seen && msg === message)
        const line = logged[index]
        if (line !== undefined) {
          seen = index + 1
          return line
        }
        await once(lines, 'line')
      }
    },
  }
}

/** A store in this process that fails on demand. */
export class FakeStore implements RevocationStore {
  mode: 'up' | 'hangs' | 'throws' = 'up'
  /** Whether changes are announced. */
  announces = true
  pageSize = 500
  reads = 0
  #epoch = 1
  #version = 0
  #values = new Map<string, { readonly value: string; readonly version: number; readonly ttlMs: number }>()
  readonly #watchers = new Set<() => void>()

  async put(id: string, value: string, ttlMs: number): Promise<void> {
    await this.#answer()
    this.#version += 1
    this.#values.set(id, { value, version: this.#version, ttlMs })
    if (this.announces) this.announce()
  }

  async read(cursor: string | undefined): Promise<RevocationPage> {
    this.reads += 1
    await this.#answer()
    const [epoch, given] = (cursor ?? '').split('.').map(Number)
    const fromStart = epoch !== this.#epoch
    const since = fromStart ? 0 : (given ?? 0)
    const news = [...this.#values.values()]
      .filter(({ version }) => version > since)
      .sort((one, other) => one.version - other.version)
    const page = news.slice(0, this.pageSize)
    return {
      values: page.map(({ value }) => value),
      cursor: `${this.#epoch}.${page.at(-1)?.version ?? since}`,
      fromStart,
      hasMore: page.length < news.length,
    }
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  announce(): void {
    for (const changed of this.#watchers) changed()
  }

  /** Loses everything, as a restart without a disk does. */
  lose(): void {
    this.#epoch += 1
    this.#version = 0
    this.#values.clear()
  }

  get watchers(): number {
    return this.#watchers.size
  }

  /** Values that are no verification. */
  get values(): readonly string[] {
    return [...this.#values.values()].map(({ value }) => value).filter(value => value.startsWith('{'))
  }

  get ttls(): readonly number[] {
    return [...this.#values.values()].filter(({ value }) => value.startsWith('{')).map(({ ttlMs }) => ttlMs)
  }

  async #answer(): Promise<void> {
    if (this.mode === 'throws') throw new Error('connection refused')
    if (this.mode === 'hangs') await new Promise(() => {})
  }
}
