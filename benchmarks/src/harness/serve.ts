/** What a measured process answers when it is asked. */
export type Answers = Readonly<Record<string, () => unknown>>

/**
 * The other end of `startServer`: builds a server from the configuration, says where it listens, answers questions,
 * and ends with its parent.
 */
export async function serve(start: (config: never) => Promise<string>, answers: Answers = {}): Promise<void> {
  process.on('disconnect', () => process.exit())
  const known: Answers = { cpu: () => process.cpuUsage(), ...answers }
  process.on('message', (message: { question: string }) => {
    void Promise.resolve(known[message.question]?.()).then(answer => process.send?.({ answer }))
  })
  const url = await start(JSON.parse(process.argv[2] ?? '{}') as never)
  process.send?.({ url })
}
