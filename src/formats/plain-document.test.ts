import { expect, test } from 'vitest'
import { randomNumbers } from '../../test/random.ts'
import { Cursor } from './cells.ts'
import { copyPlainDocument } from './plain-document.ts'

/** The document that was written of the cell `text`, or null where it went the long way. */
function copied(text: string): string | null {
  const cursor = new Cursor()
  cursor.src = new Uint8Array(Buffer.from(`${JSON.stringify(text).slice(1)},"next"]\n`))
  cursor.out = new Uint8Array(cursor.src.length)
  if (!copyPlainDocument(cursor)) {
    expect([cursor.i, cursor.p]).toEqual([0, 0])
    return null
  }
  expect(Buffer.from(cursor.src.subarray(cursor.i)).toString()).toBe(',"next"]\n')
  return Buffer.from(cursor.out.subarray(0, cursor.p)).toString()
}

test.each([
  ['{}'],
  ['[]'],
  ['0'],
  [' -12.5e+3 '],
  ['"text"'],
  ['true'],
  ['null'],
  ['{"source": "web", "tags": ["a", 3], "note": {"gift": null, "text": "say \\"hi\\""}}'],
  ['[[[]],{"a":{}},[{}]]'],
  ['"C:\\\\temp\\n\\t\\/ Zoë \u{1f4e6}"'],
  [`${'['.repeat(29)}${']'.repeat(29)}`],
])('the document %s is copied as it stands', (text) => {
  expect(copied(text)).toBe(text)
})

test.each([
  [''],
  [' '],
  ['{'],
  ['{]'],
  ['[}'],
  ['[1,]'],
  ['[,1]'],
  ['{"a"}'],
  ['{"a":}'],
  ['{"a":1,}'],
  ['{"a":1 "b":2}'],
  ['{a:1}'],
  ['{1:1}'],
  ['1 2'],
  ['[1]]'],
  ['01'],
  ['1.'],
  ['nul'],
  ['"a'],
  ['"\\x"'],
  ['"a\nb"'],
  ['{"a":1}}'],
  ['"\\'],
  ['"a":1'],
])('the text %s, which is no document, is not copied', (text) => {
  expect(copied(text)).toBeNull()
})

test.each([['[ ]'], ['"\\u00e9"'], ['[1,\n2]'], [`${'['.repeat(31)}${']'.repeat(31)}`]])(
  'the document %s goes the long way',
  (text) => {
    expect(copied(text)).toBeNull()
  },
)

test('whatever is copied of 20,000 damaged documents is a document still, to the byte', () => {
  const random = randomNumbers(7)
  const whole = JSON.stringify({ a: [1, -2.5e3, true, null], 'b "c"': { d: 'e\\f', g: [{}, []] }, h: '' })
  const signs = '{}[]",:\\ 0-.etn'
  let taken = 0
  for (let round = 0; round < 20_000; round++) {
    const at = random(whole.length)
    const sign = signs[random(signs.length)] ?? ''
    const text = whole.slice(0, at) + sign + whole.slice(at + random(3))
    const document = copied(text)
    if (document === null) continue
    taken += 1
    expect(document).toBe(text)
    expect(() => JSON.parse(text), text).not.toThrow()
  }
  expect(taken).toBeGreaterThan(1_000)
})
