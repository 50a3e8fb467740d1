import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

/** Whether this machine counts instructions: Linux with `perf` and a processor that reveals its counters. */
export const canCountInstructions: boolean =
  counted(perf(['-e', 'instructions:u', 'true']).stderr) !== undefined

/** A running count of the instructions of a process and all its threads. */
export interface InstructionCount {
  /** Ends the count. Instructions since its start, or undefined if the machine cannot count them. */
  stop(): Promise<number | undefined>
}

/**
 * Counts the instructions of a process in user mode. The count does not depend on other work on the machine, on its clock
 * rate or on its caches.
 */
export function countInstructions(pid: number): InstructionCount {
  if (!canCountInstructions) return { stop: async () => undefined }
  const child = spawn('perf', ['stat', '-x,', '-e', 'instructions:u', '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr.on('data', chunk => (output += String(chunk)))
  const ended = once(child, 'close')
  return {
    async stop() {
      child.kill('SIGINT')
      await ended
      return counted(output)
    },
  }
}

function perf(args: readonly string[]): { readonly stderr: string } {
  return spawnSync('perf', ['stat', '-x,', ...args], { encoding: 'utf8' })
}

/** Reads `perf stat -x,`: the first column is the count, or `<not supported>`. */
function counted(output: string | null): number | undefined {
  const [, count] = /^(\d+),[^,]*,instructions/m.exec(output ?? '') ?? []
  return count === undefined ? undefined : Number(count)
}
