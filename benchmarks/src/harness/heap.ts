/** The heap in bytes, after everything that can go has gone. Needs `--expose-gc`. */
export function heapUsed(): number {
  if (globalThis.gc === undefined) throw new Error('the process was not started with --expose-gc')
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}
