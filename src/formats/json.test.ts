import { expect, it } from 'vitest'
import { encode } from '../../test/contracts/encode.ts'
import { describeFormat } from '../../test/contracts/format.ts'
import { readObjects } from '../../test/contracts/json-objects.ts'
import { chunks, columns } from '../../test/contracts/row-text.ts'
import { jsonFormat } from './json.ts'

describeFormat('json', {
  format: jsonFormat,
  read(file) {
    const text = file.toString()
    // The whole must parse; that each element has a line of its own is what lets its number texts be read one by one.
    const elements = JSON.parse(text) as unknown[]
    const lines = text === '[]\n' ? [] : text.slice(2, -3).split(',\n')
    if (elements.length !== lines.length) throw new Error('an element has not a line of its own')
    return readObjects(lines)
  },
  bytes: (bytes) => bytes.toString('base64'),
})

it('is an array with a row on each line, however the rows are cut into chunks', async () => {
  const shape = columns(['text'])
  const file = '[\n{"c0":"a"},\n{"c0":"b"},\n{"c0":"c"}\n]\n'
  for (const size of [1, 2, 3]) {
    expect((await encode(jsonFormat, chunks('json', [['a'], ['b'], ['c']], size), shape)).toString()).toBe(file)
  }
  expect((await encode(jsonFormat, chunks('json', []), shape)).toString()).toBe('[]\n')
})
