import { describe, expect, it } from 'vitest'
import type { RowChunk, RowForm } from '../job/row-text.ts'
import type { FormatName, Split } from '../job/spec.ts'
import { RowSplitter } from './split-rows.ts'

/** Chunks of these rows, so many in each. */
async function* chunksOf(form: RowForm, rows: readonly string[], perChunk: number): AsyncIterable<RowChunk> {
  for (let at = 0; at < rows.length; at += perChunk) {
    const some = rows.slice(at, at + perChunk)
    yield { form, bytes: Buffer.from(some.join('')), rows: some.length }
  }
}

/** The texts of the files that the rows are dealt out to. */
async function files(rows: AsyncIterable<RowChunk>, split: Split, format: FormatName = 'ndjson'): Promise<string[]> {
  const splitter = new RowSplitter(rows, split, format, () => 0)
  const texts: string[] = []
  do {
    let text = ''
    let announced = 0
    const bytes = splitter.measured(
      (async function* () {
        for await (const chunk of splitter.file()) {
          announced += chunk.rows
          yield chunk.bytes
        }
      })(),
    )
    for await (const chunk of bytes) text += Buffer.from(chunk).toString()
    expect(splitter.fileRows).toBe(announced)
    texts.push(text)
  } while (await splitter.hasMore())
  return texts
}

const LINES = Array.from({ length: 10 }, (_, index) => `[${index},"a\\nb"]\n`)

describe('rows dealt out to files', () => {
  it.each([1, 2, 3, 4, 5, 10, 11])('by three rows come in order and whole, from chunks of %i', async (perChunk) => {
    expect(await files(chunksOf('json', LINES, perChunk), { rows: 3 })).toEqual(
      [LINES.slice(0, 3), LINES.slice(3, 6), LINES.slice(6, 9), LINES.slice(9)].map((lines) => lines.join('')),
    )
  })

  it('by a number that divides them leave no empty file behind', async () => {
    expect(await files(chunksOf('json', LINES, 4), { rows: 5 })).toHaveLength(2)
    expect(await files(chunksOf('json', LINES, 4), { rows: 10 })).toHaveLength(1)
  })

  it('are one empty file where there are none', async () => {
    expect(await files(chunksOf('json', [], 1), { rows: 5 })).toEqual([''])
    expect(await files(chunksOf('json', [], 1), { bytes: 5000 })).toEqual([''])
  })

  it('of written CSV are cut at records, not at the line ends inside fields', async () => {
    const records = ['1,"a\r\nb"\r\n', '2,"say ""hi""\r\n"\r\n', '3,x\r\n', '4,""\r\n', '5,"""\n"""\r\n']
    for (const perChunk of [1, 2, 5])
      expect(await files(chunksOf('written', records, perChunk), { rows: 1 }, 'csv')).toEqual(records)
  })

  it('of written JSON are cut before the comma that begins the next', async () => {
    const objects = [',\n{"a":1}', ',\n{"a":",\\n{"}', ',\n{}']
    for (const perChunk of [1, 2, 3])
      expect(await files(chunksOf('written', objects, perChunk), { rows: 1 }, 'json')).toEqual(objects)
  })

  it.each([1, 7, 1000])('by bytes end next to the size, from chunks of %i', async (perChunk) => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `[${index},"${'x'.repeat((index * 31) % 90)}"]\n`)
    const texts = await files(chunksOf('json', lines, perChunk), { bytes: 10_000 })
    expect(texts.join('')).toBe(lines.join(''))
    for (const text of texts.slice(0, -1)) {
      expect(text.length).toBeGreaterThan(9_800)
      expect(text.length).toBeLessThan(10_200)
    }
  })

  it('by bytes are one to a file where each is larger', async () => {
    const lines = LINES.map((line) => line.replace('b', 'b'.repeat(3_000)))
    expect(await files(chunksOf('json', lines, 10), { bytes: 2_000 })).toEqual(lines)
  })

  it.each<FormatName>(['ndjson', 'xlsx'])(
    'by bytes end next to the size behind a row that is far larger too (%s)',
    async (format) => {
      const lines = Array.from(
        { length: 2_000 },
        (_, index) => `[${index},"${'x'.repeat(index === 3 ? 1_000_000 : index % 90)}"]\n`,
      )
      const texts = await files(chunksOf('json', lines, 500), { bytes: 10_000 }, format)
      expect(texts.join('')).toBe(lines.join(''))
      // The rows before it, and the large one by itself.
      expect(texts.slice(0, 2)).toEqual([lines.slice(0, 3).join(''), lines[3]])
      for (const text of texts.slice(2, -1)) {
        expect(text.length).toBeGreaterThan(9_800)
        expect(text.length).toBeLessThan(10_200)
      }
    },
  )

  it('by bytes end next to the size where the names of members are longer than most rows', async () => {
    const text = (index: number): string => 'x'.repeat(index % 200 === 0 ? 4_000 : 1)
    const lines = Array.from({ length: 2_000 }, (_, index) => `["${text(index)}"]\n`)
    const written = async function* (rows: AsyncIterable<RowChunk>): AsyncIterable<Uint8Array> {
      for await (const { bytes } of rows) yield Buffer.from(bytes.toString().replaceAll('[', `[${'"name":'.repeat(50)}`))
    }
    const splitter = new RowSplitter(chunksOf('json', lines, 500), { bytes: 20_000 }, 'ndjson', () => 0)
    const sizes: number[] = []
    do {
      let size = 0
      for await (const chunk of splitter.measured(written(splitter.file()))) size += chunk.length
      sizes.push(size)
    } while (await splitter.hasMore())
    for (const size of sizes.slice(0, -1)) {
      expect(size).toBeGreaterThan(20_000 - 4_400)
      expect(size).toBeLessThanOrEqual(20_000)
    }
  })

  it('are asked for one chunk after the other, never ahead of the file that needs them', async () => {
    let asked = 0
    const counted = (async function* () {
      for await (const chunk of chunksOf('json', LINES, 2)) {
        asked++
        yield chunk
      }
    })()
    const splitter = new RowSplitter(counted, { rows: 4 }, 'ndjson', () => 0)
    for await (const chunk of splitter.file()) void chunk
    expect(asked).toBe(2)
    expect(splitter.hasEnded).toBe(false)
  })
})
