import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { collect, inOnePlace } from '../../../test/contracts/row-text.ts'
import { unzip } from '../../../test/xlsx-reader.ts'
import { ZipWriter } from './zip.ts'

const LARGE = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * index) >> (index % 13)))

async function zipped(zip: ZipWriter, size: number): Promise<Buffer> {
  const pieces = [
    await collect(zip.entry('empty.txt', [])),
    await collect(zip.entry('a/größe.bin', inOnePlace(LARGE, size))),
    await collect(zip.entry('small.txt', [Buffer.from('small')])),
    zip.end(),
  ]
  return Buffer.concat(pieces)
}

it.each([
  ['of usual sizes', undefined],
  ['with zip64 sizes', 1_000],
  ['with zip64 sizes and places', 1],
])('a zip %s is read by others', async (_, zip64From) => {
  const file = await zipped(new ZipWriter(zip64From), 100_000)
  const entries = await unzip(file)
  expect([...entries.keys()]).toEqual(['empty.txt', 'a/größe.bin', 'small.txt'])
  expect(entries.get('a/größe.bin')?.equals(LARGE)).toBe(true)
  expect(entries.get('small.txt')?.toString()).toBe('small')
  expect(entries.get('empty.txt')?.length).toBe(0)
})

it('has the same bytes however they came in pieces', async () => {
  const file = await zipped(new ZipWriter(), 100_000)
  expect((await zipped(new ZipWriter(), 1_777)).equals(file)).toBe(true)
  expect((await zipped(new ZipWriter(), LARGE.length)).equals(file)).toBe(true)
})

it('is whole to the tool that systems have', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'freight-zip-'))
  try {
    for (const zip64From of [undefined, 1_000]) {
      const path = join(folder, 'file.zip')
      writeFileSync(path, await zipped(new ZipWriter(zip64From), 5_000))
      expect(execFileSync('python3', ['-m', 'zipfile', '-t', path]).toString()).toContain('Done testing')
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('throws what its bytes throw', async () => {
  async function* failing(): AsyncIterable<Uint8Array> {
    yield LARGE
    throw new Error('the rows are gone')
  }
  await expect(collect(new ZipWriter().entry('a', failing()))).rejects.toThrow('the rows are gone')
})
