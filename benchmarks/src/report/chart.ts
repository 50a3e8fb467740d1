import type { Interval } from '../harness/interval.js'
import type { Growth } from '../questions/question.js'

const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.faint { fill: #59636e }
.axis { stroke: #d1d9e0 }
.bar { fill: #8c959f } .ours { fill: #0969da }
.range { stroke: #1f2328; stroke-width: 1.5 }
.line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .faint { fill: #9198a1 } .axis { stroke: #3d444d } .range { stroke: #f0f6fc } .ours { fill: #4493f8 }
}
</style>`

/** One bar of a bar chart. */
export interface Bar {
  readonly name: string
  readonly value: Interval
  readonly ours: boolean
}

/** Bars from zero with the confidence interval, one per contender. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const [left, width, row, top] = [210, 420, 30, 44]
  const most = Math.max(1, ...bars.map(bar => bar.value.high))
  const x = (value: number): number => left + (value / most) * width
  const rows = bars.map(({ name, value, ours }, index) => {
    const y = top + index * row
    return `<text x="${left - 10}" y="${y + 15}" text-anchor="end">${escape(name)}</text>
<rect class="${ours ? 'ours' : 'bar'}" x="${left}" y="${y}" width="${(x(value.median) - left).toFixed(1)}" height="20" rx="3"/>
<line class="range" x1="${x(value.low).toFixed(1)}" x2="${x(value.high).toFixed(1)}" y1="${y + 10}" y2="${y + 10}"/>
<text x="${(x(value.high) + 8).toFixed(1)}" y="${y + 15}">${value.median.toFixed(2)}</text>`
  })
  return svg(left + width + 70, top + bars.length * row + 10, title, rows)
}

const colours = ['#0969da', '#bf3989', '#1a7f37', '#9a6700', '#8250df']

/** Lines over a logarithmic axis, since sizes double. */
export function lineChart({ title, xLabel, yLabel, x, lines }: Growth): string {
  const [left, top, width, height] = [70, 70, 520, 240]
  const logs = x.map(value => Math.log(Math.max(value, 1)))
  const [from = 0, to = 1] = [logs[0], logs.at(-1)]
  const most = Math.max(...Object.values(lines).flat()) * 1.1
  const atX = (index: number): number => left + (((logs[index] ?? 0) - from) / (to - from || 1)) * width
  const atY = (value: number): number => top + height - (value / most) * height
  const ticks = x.map(
    (value, index) =>
      `<text class="faint" x="${atX(index).toFixed(1)}" y="${top + height + 20}" text-anchor="middle">${value.toLocaleString('en')}</text>`,
  )
  const levels = [0, 0.25, 0.5, 0.75, 1].map(part => {
    const value = (most / 1.1) * part
    return `<line class="axis" x1="${left}" x2="${left + width}" y1="${atY(value).toFixed(1)}" y2="${atY(value).toFixed(1)}"/>
<text class="faint" x="${left - 8}" y="${(atY(value) + 4).toFixed(1)}" text-anchor="end">${short(value)}</text>`
  })
  const curves = Object.entries(lines).map(([name, values], line) => {
    const colour = colours[line % colours.length] ?? '#0969da'
    const points = values.map((value, index) => `${atX(index).toFixed(1)},${atY(value).toFixed(1)}`).join(' ')
    return `<polyline class="line" stroke="${colour}" points="${points}"/>
<rect x="${left + line * 170}" y="42" width="12" height="12" rx="3" fill="${colour}"/><text x="${left + 18 + line * 170}" y="53">${escape(name)}</text>`
  })
  const labels = [
    `<text class="faint" x="${left + width / 2}" y="${top + height + 42}" text-anchor="middle">${escape(xLabel)}</text>`,
    `<text class="faint" x="18" y="${top + height / 2}" text-anchor="middle" transform="rotate(-90 18 ${top + height / 2})">${escape(yLabel)}</text>`,
  ]
  return svg(left + width + 40, top + height + 56, title, [...levels, ...ticks, ...curves, ...labels])
}

function short(value: number): string {
  return value >= 10 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
}

function svg(width: number, height: number, title: string, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">
${style}
<text class="title" x="16" y="24">${escape(title)}</text>
${content.join('\n')}
</svg>
`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
