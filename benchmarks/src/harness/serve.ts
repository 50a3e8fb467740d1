import { executionAsyncResource } from 'node:async_hooks'
import { Session } from 'node:inspector/promises'

/** What a measured process answers when it is asked. */
export type Answers = Readonly<Record<string, () => unknown>>

/**
 * The other end of `startServer`: builds a server from the configuration, says where it listens, answers questions,
 * and ends with its parent.
 */
export async function serve(start: (config: never) => Promise<string>, answers: Answers = {}): Promise<void> {
  keepTickObject()
  process.on('disconnect', () => process.exit())
  const known: Answers = { cpu: () => process.cpuUsage(), ...profiling(), ...answers }
  process.on('message', (message: { question: string }) => {
    void Promise.resolve(known[message.question]?.()).then(answer => process.send?.({ answer }))
  })
  const url = await start(JSON.parse(process.argv[2] ?? '{}') as never)
  process.send?.({ url })
}

/** V8's profiler, from one question to the other: so what came before is not in the profile. */
function profiling(): Answers {
  const session = new Session()
  return {
    async startProfile() {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: 200 })
      await session.post('Profiler.start')
    },
    async endProfile() {
      const { profile } = await session.post('Profiler.stop')
      return profile
    },
  }
}

const kept: object[] = []

/**
 * Keeps one of the objects that Node.js creates in `process.nextTick`. Without it, the result depends on when V8 collects
 * garbage. If no such object is alive then, V8 forgets their hidden classes, and `process.nextTick` is slow for the rest
 * of the process: a request to bare Fastify takes 21 µs instead of 16 µs. See docs/decisions/benchmarks.md.
 */
function keepTickObject(): void {
  process.nextTick(() => kept.push(executionAsyncResource()))
}
