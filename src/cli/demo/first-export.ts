/** The demo's first export: asked for and followed over HTTP, as any client would. */
import { setTimeout as delay } from 'node:timers/promises'
import { barLine, createBar, createLines, type Figures, follow } from '../progress-bar.ts'

const POLL_MS = 100

/** What the demo reads of the API's answer. */
interface ExportAnswer {
  readonly id: string
  readonly status: string
  readonly progress: {
    readonly processed: number
    readonly total: number | null
    readonly total_is_estimate: boolean
    readonly percentage: number | null
    readonly rows_per_second: number | null
  }
  readonly estimated_completion_at: string | null
  readonly error: { readonly code: string; readonly message: string } | null
}

export interface Api {
  readonly url: string
  readonly key: string
}

/** Resolves with the id and rows of the completed export; draws its progress on `terminal` meanwhile. */
export async function runFirstExport(
  api: Api,
  body: { readonly resource: string; readonly format: string },
  terminal: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<{ id: string; rows: number }> {
  const display = terminal.isTTY ? createBar(terminal, body.resource) : createLines(terminal, body.resource)
  let answer = await call(api, '/exports', signal, body)
  const stopDrawing = follow(display, () => figuresOf(answer, new Date()))
  try {
    while (answer.status === 'pending' || answer.status === 'in_progress') {
      await delay(POLL_MS, undefined, { signal })
      answer = await call(api, `/exports/${answer.id}`, signal)
    }
  } finally {
    stopDrawing()
  }
  if (answer.status !== 'completed') {
    throw new Error(
      `The first export is ${answer.status}${answer.error ? `: ${answer.error.message} (${answer.error.code})` : '.'}`,
    )
  }
  terminal.write(`${barLine(body.resource, figuresOf(answer, new Date()), terminal.columns || 80)}\n`)
  return { id: answer.id, rows: answer.progress.processed }
}

async function call({ url, key }: Api, path: string, signal: AbortSignal, body?: unknown): Promise<ExportAnswer> {
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal,
  })
  const answer = (await response.json()) as unknown
  if (!response.ok) {
    const { detail = response.statusText } = answer as { detail?: string }
    throw new Error(`The demo's own request was answered with ${response.status}: ${detail}`)
  }
  return answer as ExportAnswer
}

function figuresOf({ progress, estimated_completion_at: doneAt }: ExportAnswer, now: Date): Figures {
  return {
    processed: progress.processed,
    total: progress.total,
    totalIsEstimate: progress.total_is_estimate,
    percentage: progress.percentage,
    rowsPerSecond: progress.rows_per_second,
    secondsLeft: doneAt === null ? null : Math.max(0, (Date.parse(doneAt) - now.getTime()) / 1000),
  }
}
