/**
 * Draws the picture of a cover as SVG, below the title, on a page of 300 × 440. `colours` are sorted from quiet to
 * loud.
 */
export type Motif = (random: () => number, colours: readonly [string, string, string]) => string

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const round = (value: number): number => Math.round(value * 10) / 10
const point = (x: number, y: number): string => `${round(x)} ${round(y)}`

/** Draws a smooth closed line around a centre. Its radius is a sum of a few waves. */
function blob(
  [x, y]: readonly [number, number],
  radius: number,
  waves: readonly (readonly [number, number])[],
): string {
  const points = range(72).map(step => {
    const angle = (step / 72) * 2 * Math.PI
    const waver = waves.reduce(
      (sum, [height, phase], index) => sum + height * Math.sin((index + 2) * angle + phase),
      1,
    )
    return point(x + Math.cos(angle) * radius * waver * 1.05, y + Math.sin(angle) * radius * waver)
  })
  return `M${points.join('L')}Z`
}

/** A lighthouse, its beam and the sea. */
const lighthouse: Motif = (_random, [quiet, middle, loud]) => {
  const sea = range(6).map(row => {
    const y = 366 + row * 15
    const swell = range(9).map(
      index => `Q${point(index * 40 - 20 - row * 9, y - 9)} ${point(index * 40 - row * 9, y)}`,
    )
    return `<path d="M${point(-60 - row * 9, y)}${swell.join('')}V450H-60Z" fill="${quiet}" fill-opacity="${round(0.16 + row * 0.1)}"/>`
  })
  return `<path d="M176 214L-20 150V274Z" fill="${loud}" fill-opacity=".24"/><path d="M176 214L320 166V262Z" fill="${loud}" fill-opacity=".42"/>
<path d="M160 238H192L204 392H148Z" fill="${middle}"/><path d="M157.5 270H194.500L197.3 306H154.700ZM152.5 336H199.700L202.5 372H149.500Z" fill="${loud}"/>
<rect x="162" y="202" width="28" height="30" rx="2" fill="${loud}"/><path d="M154 202L176 178L198 202Z" fill="${middle}"/><rect x="152" y="231" width="48" height="7" rx="2" fill="${middle}"/>${sea.join('')}`
}

/** Rivers that wind side by side. */
const rivers: Motif = (random, [quiet, middle, loud]) => {
  const phase = random() * 6
  return range(11)
    .map(index => {
      const line = range(13).map(step => {
        const y = 150 + step * 26
        const x = 20 + index * 27 + Math.sin(step * 0.62 + phase + index * 0.16) * (18 + index * 1.7)
        return { x, y }
      })
      const curve = line.slice(1).map(({ x, y }, step) => {
        const before = line[step] ?? { x, y }
        return `C${point(before.x, before.y + 13)} ${point(x, y - 13)} ${point(x, y)}`
      })
      const start = line[0] ?? { x: 0, y: 0 }
      const colour = [quiet, middle, loud][Math.floor(random() * 3)]
      return `<path d="M${point(start.x, start.y)}${curve.join('')}" fill="none" stroke="${colour}" stroke-width="${round(3 + random() * 9)}" stroke-linecap="round"/>`
    })
    .join('')
}

interface Wheel {
  readonly x: number
  readonly y: number
  readonly radius: number
  readonly teeth: number
  readonly turn: number
}

function wheel({ x, y, radius, teeth, turn }: Wheel, colour: string): string {
  const outline = range(teeth * 4).map(step => {
    const angle = ((step + turn) / (teeth * 4)) * 2 * Math.PI
    const reach = step % 4 < 2 ? radius : radius - 9
    return point(x + Math.cos(angle) * reach, y + Math.sin(angle) * reach)
  })
  const rim = round(radius * 0.66)
  const spokes = range(5).map(step => {
    const angle = (step / 5) * 2 * Math.PI + turn
    return `M${point(x, y)}L${point(x + Math.cos(angle) * rim, y + Math.sin(angle) * rim)}`
  })
  const hole = `M${point(x + rim, y)}A${rim} ${rim} 0 1 0 ${point(x - rim, y)}A${rim} ${rim} 0 1 0 ${point(x + rim, y)}Z`
  return `<path d="M${outline.join('L')}Z${hole}" fill="${colour}" fill-rule="evenodd"/>
<path d="${spokes.join('')}" stroke="${colour}" stroke-width="${round(radius * 0.13)}"/>
<circle cx="${x}" cy="${y}" r="${round(radius * 0.2)}" fill="${colour}"/>`
}

/** Wheels of a clockwork. */
const clockwork: Motif = (_random, [quiet, middle, loud]) =>
  wheel({ x: 196, y: 252, radius: 76, teeth: 24, turn: 0.4 }, quiet) +
  wheel({ x: 92, y: 338, radius: 58, teeth: 18, turn: 1.2 }, loud) +
  wheel({ x: 214, y: 388, radius: 44, teeth: 14, turn: 0.7 }, middle)

/** An island in contour lines. */
const island: Motif = (random, [quiet, middle, loud]) => {
  const waves = range(4).map(index => [0.16 / (index + 1), random() * 6] as const)
  const lines = range(9).map(index => {
    const height = index / 8
    const outline = blob([152 + index * 3, 296 - index * 4], 128 - index * 13.5, waves)
    const fill = index === 0 ? quiet : index === 4 ? middle : 'none'
    return `<path d="${outline}" fill="${fill}" stroke="${loud}" stroke-opacity="${round(0.35 + height * 0.5)}" stroke-width="1.6"/>`
  })
  return `${lines.join('')}<path d="M178 258l9-20 9 20Z" fill="${loud}"/><path d="M60 404h34m-17-17v34" stroke="${loud}" stroke-width="1.6"/><path d="M77 381l5 10h-10Z" fill="${loud}"/>`
}

/** A loaf under the moon. */
const loaf: Motif = (random, [quiet, middle, loud]) => {
  const stars = range(26).map(
    () =>
      `<circle cx="${round(random() * 300)}" cy="${round(150 + random() * 170)}" r="${round(0.6 + random() * 1.1)}" fill="${loud}" fill-opacity=".75"/>`,
  )
  const cuts = range(4).map(index => `M${94 + index * 34} 352q16 -24 30 -30`)
  return `${stars.join('')}<circle cx="208" cy="226" r="50" fill="${loud}"/><circle cx="190" cy="214" r="50" fill="${quiet}"/>
<path d="M46 386C40 322 92 300 150 300S260 322 254 386Q253 394 244 394H56Q47 394 46 386Z" fill="${middle}"/><path d="${cuts.join('')}" fill="none" stroke="${loud}" stroke-width="7" stroke-linecap="round"/><path d="M30 404H270" stroke="${middle}" stroke-width="3" stroke-linecap="round"/>`
}

/** A punched card: what a program once was. */
const punchedCard: Motif = (random, [quiet, middle, loud]) => {
  const holes = range(12).flatMap(row =>
    range(20).map(column => {
      const colour = random() < 0.2 ? loud : random() < 0.24 ? middle : quiet
      return `<rect x="${26 + column * 12.6}" y="${186 + row * 17.5}" width="6.6" height="11.5" rx="1.5" fill="${colour}"/>`
    }),
  )
  return holes.join('')
}

/** A wood of pines, the far ones paler. */
const pines: Motif = (random, [quiet, middle, loud]) =>
  [quiet, middle, loud]
    .map((colour, row) => {
      const trees = range(9 - row * 2).map(index => {
        const x = (index + 0.2 + random() * 0.7) * (300 / (8.4 - row * 2))
        const height = 96 + row * 34 + random() * 46
        const foot = 392 + row * 22
        const half = height * 0.2
        return range(4)
          .map(tier => {
            const top = foot - height + tier * height * 0.2
            const wide = half * (0.42 + tier * 0.2)
            return `M${point(x, top)}L${point(x + wide, top + height * 0.34)}H${round(x - wide)}Z`
          })
          .join('')
      })
      return `<path d="${trees.join('')}M0 ${380 + row * 22}H300V440H0Z" fill="${colour}"/>`
    })
    .join('')

/** Stars, joined into figures. */
const constellations: Motif = (random, [quiet, middle, loud]) => {
  const dust = range(90).map(
    () =>
      `<circle cx="${round(random() * 300)}" cy="${round(130 + random() * 300)}" r="${round(0.4 + random())}" fill="${loud}" fill-opacity="${round(0.2 + random() * 0.6)}"/>`,
  )
  const circles = [54, 92, 130].map(
    radius => `<circle cx="150" cy="288" r="${radius}" fill="none" stroke="${quiet}" stroke-width="1"/>`,
  )
  const figures = range(4).map(quarter => {
    const stars = range(5).map(step => {
      const angle = ((quarter + 0.16 + step * 0.16) / 4) * 2 * Math.PI
      const reach = 40 + random() * 84
      return { x: 150 + Math.cos(angle) * reach, y: 288 + Math.sin(angle) * reach }
    })
    const line = stars.map(({ x, y }) => point(x, y)).join('L')
    const dots = stars.map(
      ({ x, y }, step) =>
        `<circle cx="${round(x)}" cy="${round(y)}" r="${step === 2 ? 4.6 : 3}" fill="${loud}"/>`,
    )
    return `<path d="M${line}" fill="none" stroke="${middle}" stroke-width="1.4"/>${dots.join('')}`
  })
  return circles.join('') + dust.join('') + figures.join('')
}

export const motifs = {
  lighthouse,
  rivers,
  clockwork,
  island,
  loaf,
  punchedCard,
  pines,
  constellations,
} satisfies Record<string, Motif>
