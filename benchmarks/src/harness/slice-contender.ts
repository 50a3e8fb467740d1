import type { Contender, Measured } from './contender.js'
import { countInstructions } from './instructions.js'
import { startServer } from './server-process.js'

/** What a process answers when it is asked for a `slice`: it makes its own load. */
export interface Slice extends Measured {
  readonly count: number
}

/** A process that makes its own load as a contender. */
export function slices(name: string, file: string, config: object): Contender {
  return {
    name,
    async start() {
      const process = await startServer(name, file, config)
      return {
        stop: process.stop,
        async measure() {
          const counting = countInstructions(process.pid)
          const { count, ...slice } = await process.ask<Slice>('slice')
          const instructions = await counting.stop()
          return instructions === undefined ? slice : { ...slice, instructions: instructions / count }
        },
      }
    },
  }
}
