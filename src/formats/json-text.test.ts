import { describe, expect, it } from 'vitest'
import { randomNumbers } from '../../test/random.ts'
import { JsonChecker, unbreak } from './json-text.ts'

function isValid(text: string | Uint8Array): boolean {
  const bytes = Buffer.from(text)
  return new JsonChecker().isValid(new Uint8Array(Buffer.concat([bytes, Buffer.from([0])])), 0, bytes.length)
}

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const SEEDS = [
  '{"a":[1,-0.5e+10,null],"b":{"c":"x\\u00e9\\n\\"","d":{}},"e":[],"":true}',
  '[[],[[]],{"a":{"a":{"a":1}}}]',
  ' [ 1 , "b" ] ',
  '"a"',
  '-1E2',
  'false',
]
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u12',
  '0',
  '1',
  '-',
  '.',
  'e',
  '+',
  'null',
  't',
  ' ',
  '\n',
  '\t',
  '\0',
  '\x1f',
  'é',
  '/',
]

describe('the JSON checker', () => {
  it('agrees with JSON.parse about 20,000 documents, most of them slightly broken', () => {
    const random = randomNumbers(4)
    let valid = 0
    for (let k = 0; k < 20_000; k++) {
      let text = SEEDS[random(SEEDS.length)] as string
      for (let change = random(3); change >= 0; change--) {
        const at = random(text.length + 1)
        text = text.slice(0, at) + (random(3) ? PIECES[random(PIECES.length)] : '') + text.slice(at + random(2))
      }
      if (parses(text)) valid++
      if (isValid(text) !== parses(text)) expect.fail(`${JSON.stringify(text)} is ${parses(text) ? 'valid' : 'invalid'}`)
    }
    expect(valid).toBeGreaterThan(1000)
  })

  it.each([
    '',
    ' ',
    '01',
    '1.',
    '.5',
    '+1',
    '-',
    '1e',
    'nul',
    'nulll',
    "'a'",
    '{a:1}',
    '[1,]',
    '{"a":1,}',
    '[1 2]',
    '"a',
    '"\t"',
    '"\\x"',
    '"\\u12g4"',
    '1 2',
    'NaN',
    '\ufeff1',
    '[1]]',
    '[}',
    '{]',
  ])('refuses %j', (text) => {
    expect(isValid(text)).toBe(false)
  })

  it('reaches a depth of 100,000 without recursion, and notices one bracket too few', () => {
    expect(isValid('['.repeat(100_000) + ']'.repeat(100_000))).toBe(true)
    expect(isValid(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).toBe(true)
    expect(isValid('['.repeat(100_000) + ']'.repeat(99_999))).toBe(false)
    expect(isValid('['.repeat(100_000))).toBe(false)
  })

  it('takes line breaks and tabs out between values, and leaves all else', () => {
    const bytes = new Uint8Array(Buffer.from('{\r\n\t"a b" : [1, \n2],\t"c\\n\\"\\\\": 3}\0'))
    const checker = new JsonChecker()
    expect(checker.isValid(bytes, 0, bytes.length - 1)).toBe(true)
    expect(checker.broken).toBe(true)
    expect(Buffer.from(bytes.subarray(0, unbreak(bytes, 0, bytes.length - 1))).toString()).toBe(
      '{"a b" : [1, 2],"c\\n\\"\\\\": 3}',
    )
    expect(checker.isValid(new Uint8Array(Buffer.from('[1, 2]\0')), 0, 6)).toBe(true)
    expect(checker.broken).toBe(false)
  })
})
