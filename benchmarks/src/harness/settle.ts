import type { Started } from './contender.js'

/** How alike the last slices have to be, and how many slices may be spent on it. */
const alike = { slices: 3, within: 0.04, atMost: 15 } as const

/**
 * Runs slices until their rates no longer change, and drops them: V8 compiles the hot path for some seconds. A process
 * that never settles, because the machine is busy, is measured after the last allowed slice.
 */
export async function settle({ measure }: Started): Promise<void> {
  const rates: number[] = []
  while (rates.length < alike.atMost && !isSettled(rates)) rates.push((await measure()).rate)
}

function isSettled(rates: readonly number[]): boolean {
  if (rates.length < alike.slices) return false
  const last = rates.slice(-alike.slices)
  return Math.max(...last) - Math.min(...last) <= alike.within * Math.max(...last)
}
