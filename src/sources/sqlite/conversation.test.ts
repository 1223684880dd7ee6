/** What a source makes of what its host says, whatever that is. */
import { describe, expect, it } from 'vitest'
import { Conversation } from './conversation.ts'
import { FrameReader, frame } from './frames.ts'
import type { HostListener } from './host.ts'
import type { FromHost, ToHost } from './protocol.ts'

/** A conversation whose host says only what the test lets it say. */
function converse(): { conversation: Conversation; heard: ToHost[]; host: HostListener } {
  const heard: ToHost[] = []
  let host: HostListener | null = null
  const conversation = new Conversation(
    (listener) => {
      host = listener
      return { post: (message) => heard.push(message), interrupt() {}, async end() {}, hold() {}, release() {} }
    },
    { isReusable: true },
  )
  if (!host) throw new Error('no host was started')
  return { conversation, heard, host }
}

async function drain(conversation: Conversation): Promise<number> {
  let rows = 0
  for await (const chunk of conversation.read(0)) rows += chunk.rows
  return rows
}

const batch = (reading: number, rows: number): FromHost => ({ kind: 'batch', reading, rows, bytes: new Uint8Array(rows) })

describe('a conversation with a host', () => {
  it('ends normally only with as many rows as the host read', async () => {
    const { conversation, host } = converse()
    const whole = drain(conversation)
    host.heard(batch(1, 3))
    host.heard(batch(1, 4))
    host.heard({ kind: 'end', reading: 1, rows: 7 })
    expect(await whole).toBe(7)
    const short = drain(conversation)
    host.heard(batch(2, 3))
    host.heard({ kind: 'end', reading: 2, rows: 7 })
    await expect(short).rejects.toMatchObject({ code: 'ROWS_INCOMPLETE' })
  })

  it('a host that dies makes everything asked, and everything asked later, reject', async () => {
    const { conversation, host } = converse()
    const asked = conversation.ask({ ask: 'tables' })
    const reading = drain(conversation)
    host.heard(batch(2, 3))
    host.died(new Error('out of memory'))
    await expect(asked).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', cause: { message: 'out of memory' } })
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    await expect(conversation.ask({ ask: 'tables' })).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    await expect(drain(conversation)).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
  })

  it('gives credit for one batch for each that is taken, so that the host is never far ahead', async () => {
    const { conversation, host, heard } = converse()
    const rows = conversation.read(0)
    const first = rows.next()
    host.heard(batch(1, 1))
    host.heard(batch(1, 1))
    await first
    expect(heard).toEqual([
      { kind: 'read', reading: 1, part: 0, batches: 2 },
      { kind: 'credit', reading: 1, batches: 1 },
    ])
  })

  it('batches of a reading that was left are not taken for those of the next', async () => {
    const { conversation, host } = converse()
    const left = drain(conversation)
    const next = drain(conversation)
    await expect(left).rejects.toMatchObject({ code: 'ABORTED' })
    host.heard(batch(1, 100))
    host.heard(batch(2, 2))
    host.heard({ kind: 'end', reading: 2, rows: 2 })
    expect(await next).toBe(2)
  })
})

describe('frames', () => {
  it('are put together again from pieces of any size', () => {
    const messages: FromHost[] = [
      { kind: 'answer', id: 1, answer: ['tëxt'] },
      { kind: 'batch', reading: 2, rows: 2, bytes: Uint8Array.from([0, 10, 255, 123]) },
      { kind: 'end', reading: 2, rows: 2 },
    ]
    const bytes = Buffer.concat(messages.flatMap((message) => frame(message)))
    for (const size of [1, 3, 7, 64, bytes.length]) {
      const heard: FromHost[] = []
      const reader = new FrameReader((message) => heard.push(message))
      for (let at = 0; at < bytes.length; at += size) reader.add(bytes.subarray(at, at + size))
      expect(heard).toEqual(messages)
    }
  })
})
