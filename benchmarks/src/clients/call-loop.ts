import { serve } from '../harness/serve.js'

/** Where a client calls, and who it is. */
export interface ClientConfig {
  readonly api: string
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly resource: string
  readonly scope: string
}

const lanes = 32
const sliceMs = 1_000

/** Serves a client as a measured process: asked for `slice`, it calls the API for a second, 32 calls at a time. */
export async function serveClient(
  connect: (config: ClientConfig) => Promise<() => Promise<unknown>>,
): Promise<void> {
  let call: () => Promise<unknown>
  await serve(
    async (config: ClientConfig) => {
      call = await connect(config)
      await call()
      return config.api
    },
    {
      async slice() {
        const before = process.cpuUsage()
        const startedAt = performance.now()
        let calls = 0
        const lane = async (): Promise<void> => {
          while (performance.now() - startedAt < sliceMs) {
            await call()
            calls += 1
          }
        }
        await Promise.all(Array.from({ length: lanes }, lane))
        const { user, system } = process.cpuUsage(before)
        return {
          count: calls,
          rate: (calls / (performance.now() - startedAt)) * 1_000,
          processor: (user + system) / calls,
        }
      },
    },
  )
}
