/** Memory outside V8's heap is collected late, and then too much of it has come together: so it must be used again, not made anew. */
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { column, MACHINE } from '../../../test/contracts/row-text.ts'
import { createDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { csvFormat } from '../../formats/csv.ts'
import type { RowChunk } from '../../job/row-text.ts'
import { RowTally } from '../../job/tally.ts'
import { RowText } from './binary/row-text.ts'
import { BinaryRows } from './binary/rows.ts'
import { ChunkBuffers } from './chunk-buffers.ts'
import { CopyOut } from './copy-out.ts'

const TEXTS = `copy (select repeat('x', 900 + n % 100) from generate_series(1, 40000) n) to stdout`

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase('')
})

afterAll(() => database.drop())

describe('the chunks of a COPY', () => {
  it('lie in four buffers, whether the reader is quicker than the server or slower', async () => {
    const client = await database.connect()
    const copy = client.query(new CopyOut(TEXTS))
    const used = new Set<ArrayBufferLike>()
    let chunks = 0
    for await (const { bytes } of copy.chunks('copy')) {
      used.add(bytes.buffer)
      chunks += 1
      // The server gets ahead, and is caught up with.
      if (chunks % 3 === 0) await setTimeout(20)
    }
    expect(chunks).toBeGreaterThan(30)
    expect(used.size).toBeLessThanOrEqual(4)
  })

  it('lie in the buffers of several readings that share them', async () => {
    const client = await database.connect()
    const buffers = new ChunkBuffers()
    const used = new Set<ArrayBufferLike>()
    for (let reading = 0; reading < 3; reading += 1) {
      const copy = client.query(new CopyOut(TEXTS, 'rows', buffers))
      const held: Uint8Array[] = []
      for await (const { bytes } of copy.keptChunks('copy')) {
        used.add(bytes.buffer)
        held.push(bytes)
        if (held.length > 2) buffers.giveBack(held.shift() ?? bytes)
      }
      for (const bytes of held) buffers.giveBack(bytes)
    }
    expect(used.size).toBeLessThanOrEqual(6)
  })

  it('of a row larger than a buffer have one of their own, which is not kept', async () => {
    const client = await database.connect()
    const buffers = new ChunkBuffers()
    const copy = client.query(new CopyOut(`copy (select repeat('x', 3000000)) to stdout`, 'rows', buffers))
    const lengths: number[] = []
    for await (const { bytes } of copy.chunks('copy')) lengths.push(bytes.length)
    expect(lengths).toEqual([3_000_001])
    expect(buffers.take().length).toBeLessThan(3_000_000)
  })
})

describe('a COPY', () => {
  it.each(['rows', 'messages'] as const)('whose end came without a number of rows is not whole, read as %s', async (keeps) => {
    const copy = new CopyOut('', keeps)
    copy.handleReadyForQuery()
    await expect(copy.chunks('copy')[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ROWS_INCOMPLETE' })
  })
})

describe('what is written of chunks, each a little longer than all before it,', () => {
  it('lies in one buffer where it came by COPY BINARY', () => {
    const field = { type: 'text', isCast: false } as const
    const rows = new BinaryRows({ fields: [field, field], writer: () => new RowText([field, field]) })
    const used = new Set<ArrayBufferLike>()
    const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
    for (let chunk = 0; chunk < 20; chunk += 1) {
      const row = Buffer.concat([Buffer.from([0, 2]), value(300_000 + chunk * 100), value(1)])
      for (const { bytes } of rows.read(message(chunk === 0 ? Buffer.concat([header, row]) : row))) used.add(bytes.buffer)
    }
    expect(used.size).toBe(1)
  })

  it('lies in one buffer, or two, where the format wrote it', async () => {
    async function* rows(): AsyncIterable<RowChunk> {
      for (let chunk = 0; chunk < 20; chunk += 1)
        yield { form: 'copy', bytes: Buffer.from(`${'x'.repeat(300_000 + chunk)}\n`), rows: 1 }
    }
    const used = new Set<ArrayBufferLike>()
    const output = { ...MACHINE, header: false }
    for await (const { buffer } of csvFormat.encode(rows(), [column('x')], output, new RowTally('texts', 'fail')))
      used.add(buffer)
    expect(used.size).toBeLessThanOrEqual(2)
  })
})

function value(bytes: number): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes)
  return Buffer.concat([length, Buffer.alloc(bytes, 'x')])
}

function message(body: Buffer): Buffer {
  const header = Buffer.from('d....')
  header.writeInt32BE(4 + body.length, 1)
  return Buffer.concat([header, body])
}
