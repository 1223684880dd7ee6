/**
 * Recorded exchanges: what a client sends and what it must be answered, as JSON files beside the protocol that they are of.
 *
 * In an expected answer `<request id>` stands for the id of that request, `<uuid7>` for any UUIDv7 (`<UUID7>` in upper case), `<instant>` for any RFC 3339 time and `<url>` for
 * the address of the server. Everything else must be equal, absent members included.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Given, ProtocolSite, WireAnswer, WireRequest } from './protocol-site.ts'

export interface Exchange {
  /** Jobs that are there before. */
  readonly given?: readonly Given[]
  readonly request: WireRequest & { readonly path: string }
  readonly response: {
    readonly status: number
    readonly headers?: Readonly<Record<string, string>>
    /** Absent: no body at all. */
    readonly body?: unknown
  }
}

/** By name, which is the file's without its ending. */
export function readExchanges(folder: string): [name: string, exchange: Exchange][] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(join(folder, file), 'utf8')) as Exchange])
}

export async function play(site: ProtocolSite, { given = [], request, response }: Exchange): Promise<WireAnswer> {
  for (const job of given) await site.given(job)
  const answer = await site.ask(request.path, request)
  expect({ status: answer.status, body: answer.body }).toEqual({
    status: response.status,
    body: expected(response.body, site, answer),
  })
  if (response.body === undefined) expect(answer.text).toBe('')
  for (const [name, value] of Object.entries(response.headers ?? {})) {
    expect({ [name]: answer.headers.get(name) }).toEqual({ [name]: expected(value, site, answer) })
  }
  return answer
}

const UUID_7 = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

function expected(value: unknown, site: ProtocolSite, answer: WireAnswer): unknown {
  if (typeof value === 'string') {
    if (!value.includes('<')) return value
    if (value === '<request id>') return answer.headers.get('x-request-id')
    const pattern = value
      .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('<url>', site.url)
      .replaceAll('<uuid7>', UUID_7)
      .replaceAll('<UUID7>', UUID_7.replaceAll('a-f', 'A-F').replace('89ab', '89AB'))
      .replaceAll('<instant>', '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)?Z')
      .replaceAll('<query>', '\\?expires=\\d+&by=[\\w%.-]+&signature=[\\w-]{43}')
      .replaceAll('<link>', '/downloads/[^"]+')
    return expect.stringMatching(new RegExp(`^${pattern}$`))
  }
  if (Array.isArray(value)) return value.map((member) => expected(member, site, answer))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, expected(member, site, answer)]))
}
