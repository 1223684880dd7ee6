/** Two small charts side by side, rows against seconds (both logarithmic: a straight line of slope one is linear growth) and rows against memory. */

export interface Line {
  readonly name: string
  readonly points: readonly { readonly rows: number; readonly seconds: number; readonly mib: number }[]
}

/** From a value to its place between 0 and 1. */
type Scale = (value: number) => number

interface Panel {
  readonly title: string
  readonly left: number
  readonly y: Scale
  readonly ticks: readonly (readonly [value: number, text: string])[]
  value(point: Line['points'][number]): number
}

const WIDTH = 360
const HEIGHT = 240
const TOP = 44
const COLOURS = ['#1b6ca8', '#c2410c', '#15803d', '#7e22ce', '#0891b2', '#a16207', '#be185d', '#475569']
const ROW_TICKS: readonly (readonly [number, string])[] = [
  [10_000, '10⁴'],
  [100_000, '10⁵'],
  [1_000_000, '10⁶'],
  [10_000_000, '10⁷'],
]

export function drawGrowth(lines: readonly Line[], footing: string): string {
  const highest = Math.max(...lines.flatMap((line) => line.points.map((point) => point.mib)))
  const top = Math.ceil(highest / 100) * 100
  const longest = Math.max(...lines.flatMap((line) => line.points.map((point) => point.seconds)))
  const powers = Math.ceil(Math.log10(longest)) + 1
  const panels: Panel[] = [
    {
      title: 'seconds',
      left: 56,
      y: logarithmic(0.1, 10 ** (powers - 1)),
      ticks: Array.from({ length: powers + 1 }, (_, power) => [10 ** (power - 1), String(10 ** (power - 1))] as const),
      value: (p) => p.seconds,
    },
    {
      title: 'peak memory, MiB',
      left: 56 + WIDTH + 80,
      y: (mib) => mib / top,
      ticks: Array.from({ length: top / 100 + 1 }, (_, step) => [step * 100, `${step * 100}`] as const),
      value: (p) => p.mib,
    },
  ]
  const width = 56 + WIDTH + 80 + WIDTH + 170
  const height = TOP + HEIGHT + 64
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#333">
<title>Seconds and peak memory of exports against their rows</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${panels.map((panel) => drawPanel(panel, lines)).join('\n')}
${lines.map((line, index) => legend(line.name, index, width - 156)).join('\n')}
<text x="56" y="${height - 10}" fill="#777">${escapeXml(`rows of 13 columns; ${footing}`)}</text>
</svg>
`
}

function drawPanel({ title, left, y, ticks, value }: Panel, lines: readonly Line[]): string {
  const x = logarithmic(10_000, 10_000_000)
  const at = (rows: number, figure: number): string =>
    `${(left + x(rows) * WIDTH).toFixed(1)},${(TOP + HEIGHT - y(figure) * HEIGHT).toFixed(1)}`
  const grid = ticks.map(([tick, text]) => {
    const place = (TOP + HEIGHT - y(tick) * HEIGHT).toFixed(1)
    return `<path d="M${left} ${place}h${WIDTH}" stroke="#ddd"/><text x="${left - 8}" y="${place}" dy="4" text-anchor="end">${text}</text>`
  })
  const rows = ROW_TICKS.map(
    ([tick, text]) =>
      `<text x="${(left + x(tick) * WIDTH).toFixed(1)}" y="${TOP + HEIGHT + 18}" text-anchor="middle">${text}</text>`,
  )
  const drawn = lines.map((line, index) => {
    const colour = COLOURS[index % COLOURS.length]
    const points = line.points.map((point) => at(point.rows, value(point)))
    const dots = points.map((point) => `<circle cx="${point.replace(',', '" cy="')}" r="3" fill="${colour}"/>`)
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`
  })
  const heading = `<text x="${left}" y="${TOP - 16}" font-weight="600">${title}</text>`
  return [heading, ...grid, ...rows, ...drawn].join('\n')
}

function legend(name: string, index: number, left: number): string {
  const y = TOP + 12 + index * 20
  return `<path d="M${left} ${y}h18" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="2"/><text x="${left + 24}" y="${y + 4}">${escapeXml(name)}</text>`
}

function logarithmic(least: number, most: number): Scale {
  return (value) => Math.log(value / least) / Math.log(most / least)
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
