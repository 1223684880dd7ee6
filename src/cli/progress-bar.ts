/** An export's progress on the terminal: a bar that is drawn over itself, or one JSON line per second. */
import { styleText } from 'node:util'
import type { Progress } from '../job/job.ts'
import { estimateCompletion, percentage } from '../job/progress.ts'

/** What a bar shows; unknown figures are null. */
export interface Figures {
  readonly processed: number
  readonly total: number | null
  readonly totalIsEstimate: boolean
  readonly percentage: number | null
  readonly rowsPerSecond: number | null
  readonly secondsLeft: number | null
}

const BAR_WIDTH = { least: 8, most: 24 } as const
const DRAW_EVERY_MS = 100
const REPORT_EVERY_MS = 1_000

export function figuresOf(progress: Progress, now: Date): Figures {
  const doneAt = estimateCompletion(progress, now)
  return {
    processed: progress.processed,
    total: progress.total,
    totalIsEstimate: progress.totalIsEstimate,
    percentage: percentage(progress, 'in_progress'),
    rowsPerSecond: progress.rowsPerSecond,
    secondsLeft: doneAt === null ? null : Math.max(0, (doneAt.getTime() - now.getTime()) / 1000),
  }
}

/**
 * One line of less than `width` columns: `orders  ███████░░░░░  42 %  25,200 of 59,998 rows  1 s left  310,000 rows/s`. On a narrow
 * terminal the bar is shorter, and the rate is left out before the line is cut.
 */
export function barLine(name: string, figures: Figures, width: number): string {
  const share = figures.percentage === null ? '  ? %' : `${Math.floor(figures.percentage).toString().padStart(3)} %`
  const parts = [share, rowsText(figures)]
  if (figures.secondsLeft !== null) parts.push(`${duration(figures.secondsLeft)} left`)
  const rate = figures.rowsPerSecond === null ? [] : [`${count(Math.round(figures.rowsPerSecond))} rows/s`]
  const roomFor = (texts: readonly string[]): number => width - 1 - [name, '', ...texts].join('  ').length
  const shown = roomFor([...parts, ...rate]) < BAR_WIDTH.least ? parts : [...parts, ...rate]
  const columns = Math.max(BAR_WIDTH.least, Math.min(BAR_WIDTH.most, roomFor(shown)))
  const filled = Math.round(((figures.percentage ?? 0) / 100) * columns)
  const bar = '█'.repeat(filled) + '░'.repeat(columns - filled)
  return [name, bar, ...shown].join('  ').slice(0, Math.max(0, width - 1))
}

function rowsText({ processed, total, totalIsEstimate }: Figures): string {
  if (total === null) return `${count(processed)} rows`
  return `${count(processed)} of ${totalIsEstimate ? 'about ' : ''}${count(total)} rows`
}

/** `1,234,567`, the same under every locale. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`
}

export function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Where progress goes. */
export interface ProgressDisplay {
  readonly everyMs: number
  draw(figures: Figures): void
  /** Takes what was drawn off the screen. */
  clear(): void
}

/** Draws at every interval, also while nothing moves, until the result is called. */
export function follow(display: ProgressDisplay, read: () => Figures): () => void {
  const timer = setInterval(() => display.draw(read()), display.everyMs)
  return () => {
    clearInterval(timer)
    display.clear()
  }
}

/** A bar that is drawn over itself. */
export function createBar(terminal: NodeJS.WriteStream, name: string): ProgressDisplay {
  let isDrawn = false
  return {
    everyMs: DRAW_EVERY_MS,
    draw(figures) {
      isDrawn = true
      terminal.write(`\r\x1b[2K${styleText('cyan', barLine(name, figures, terminal.columns || 80), { stream: terminal })}`)
    },
    clear() {
      if (isDrawn) terminal.write('\r\x1b[2K')
    },
  }
}

/** Where there is no terminal to draw on: a plain line per second. */
export function createLines(stream: NodeJS.WritableStream, name: string): ProgressDisplay {
  return {
    everyMs: REPORT_EVERY_MS,
    draw(figures) {
      const rate = figures.rowsPerSecond === null ? '' : `, ${count(Math.round(figures.rowsPerSecond))} rows/s`
      stream.write(`${name}: ${rowsText(figures)}${rate}\n`)
    },
    clear() {},
  }
}

/** A JSON line per second, names as in the API. */
export function createReport(stream: NodeJS.WritableStream): ProgressDisplay {
  return {
    everyMs: REPORT_EVERY_MS,
    draw(figures) {
      const line = {
        status: 'in_progress',
        processed: figures.processed,
        total: figures.total,
        total_is_estimate: figures.totalIsEstimate,
        percentage: figures.percentage,
        rows_per_second: figures.rowsPerSecond === null ? null : Math.round(figures.rowsPerSecond),
        seconds_left: figures.secondsLeft === null ? null : Math.round(figures.secondsLeft * 10) / 10,
      }
      stream.write(`${JSON.stringify(line)}\n`)
    },
    clear() {},
  }
}
