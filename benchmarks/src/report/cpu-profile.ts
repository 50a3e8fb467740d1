/** What V8's profiler gives. Times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Self time in microseconds, by part of the software and by function. */
export interface SelfTimes {
  readonly parts: ReadonlyMap<string, number>
  readonly functions: ReadonlyMap<string, number>
}

/** Adds up the samples of a profile; time without work is left out. */
export function readProfile({ nodes, samples, timeDeltas }: CpuProfile): SelfTimes {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const parts = new Map<string, number>()
  const functions = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)
    const time = timeDeltas[index] ?? 0
    if (frame === undefined || frame.functionName === '(idle)') continue
    const part = partOf(frame)
    const place = `${frame.functionName || '(anonymous)'}  ${shorten(frame.url)}:${frame.lineNumber + 1}`
    parts.set(part, (parts.get(part) ?? 0) + time)
    functions.set(place, (functions.get(place) ?? 0) + time)
  }
  return { parts, functions }
}

/** A file of ours, a package, or what belongs to Node. */
function partOf({ functionName, url }: { functionName: string; url: string }): string {
  if (functionName.startsWith('(')) return functionName
  const ours = /packages\/([^/]+)\/dist\/(.+)$/.exec(url)
  if (ours !== null) return `${ours[1]}: ${ours[2]}`
  const installed = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
  if (installed !== undefined) return installed
  if (url.startsWith('node:'))
    return url.startsWith('node:internal/crypto') ? 'node: crypto' : 'node: http, net, streams'
  return url === '' ? `native: ${functionName}` : 'the benchmark'
}

function shorten(url: string): string {
  return url.replace(/^.*(node_modules|packages|benchmarks)\//, '')
}
