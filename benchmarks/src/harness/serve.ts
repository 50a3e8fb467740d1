import { Session } from 'node:inspector/promises'

/** What a measured process answers when it is asked. */
export type Answers = Readonly<Record<string, () => unknown>>

/**
 * The other end of `startServer`: builds a server from the configuration, says where it listens, answers questions,
 * and ends with its parent.
 */
export async function serve(start: (config: never) => Promise<string>, answers: Answers = {}): Promise<void> {
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
