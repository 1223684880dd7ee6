import { describe, expect, it } from 'vitest'
import { cpuMs } from '../../test/cpu-time.ts'
import { seeded } from '../../test/random.ts'
import { asFreightError } from '../job/errors.ts'
import { readJson } from './json-body.ts'

function refusal(body: string | Uint8Array): { code: string; message: string; pointer: string | undefined } {
  try {
    readJson(typeof body === 'string' ? Buffer.from(body) : body)
  } catch (thrown) {
    const error = asFreightError(thrown)
    return { code: error.code, message: error.message, pointer: error.details.pointer }
  }
  throw new Error('the body was accepted')
}

describe('readJson', () => {
  it.each([
    '{}',
    '[]',
    ' { "a" : [ 1 , -2.5e3 , true , false , null , "x" ] , "b" : {} }\n',
    '"text"',
    '0',
    '-0',
    '9007199254740992',
    '1.10',
    '1e22',
    '0.1',
    '{"a":{"a":{"a":[]}}}',
    '"\\ud83d\\ude00 \\u00e9 \\n 😀"',
  ])('reads %s as JSON.parse does', (text) => {
    expect(readJson(Buffer.from(text))).toEqual(JSON.parse(text))
  })

  it.each([
    ['', /empty at byte 0/],
    ['   \n', /empty/],
    ['{"a":1', /ends at line 1, column 7/],
    ['{"a":1,}', /Unexpected "}" at line 1, column 8/],
    ['[1,]', /Unexpected "]" at line 1, column 4/],
    ['{} {}', /Unexpected "{" at line 1, column 4/],
    ['{"a":1}\n\n x', /Unexpected "x" at line 3, column 2/],
    ['\u0000{}', /Unexpected U\+0000 at line 1, column 1/],
    ['{"a":\u0000}', /Unexpected U\+0000/],
    ['{"a":"\u0001"}', /Unexpected U\+0001/],
    ["{'a':1}", /Unexpected "'"/],
    ['{a:1}', /Unexpected "a"/],
    ['{"a" 1}', /where ":" is due/],
    ['[1 2]', /where "," or "]" is due/],
    ['nul', /Unexpected "n"/],
    ['NaN', /Unexpected "N"/],
    ['0x10', /Unexpected "x"/],
    ['01', /Unexpected "1"/],
    ['+1', /Unexpected "\+"/],
    ['.5', /Unexpected "\."/],
    ['1.', /Unexpected "\."/],
    ['"\\x41"', /escape of JSON/],
    ['"\\u12"', /escape of JSON/],
    ['"abc', /end of a string/],
    ['\ufeff{}', /byte order mark at byte 0/],
  ])('refuses %j with the position', (text, message) => {
    const { code, message: said } = refusal(text)
    expect(code).toBe('INVALID_JSON')
    expect(said).toMatch(message)
  })

  it('refuses bytes that are not UTF-8 and names the first of them', () => {
    expect(refusal(Uint8Array.of(0x22, 0x61, 0xff, 0x22)).message).toMatch(/not valid UTF-8 at byte 2/)
    expect(refusal(Uint8Array.of(0x22, 0xef, 0xbf, 0xbd, 0xc0, 0xae, 0x22)).message).toMatch(/at byte 4/)
    expect(refusal(Buffer.from('{"a":1}', 'utf16le')).code).toBe('INVALID_JSON')
  })

  it('refuses a key given twice in one object, also when one of them is escaped, and points to it', () => {
    expect(refusal('{"format":"csv","format":"xlsx"}')).toMatchObject({ code: 'INVALID_JSON', pointer: '/format' })
    expect(refusal('{"a":[{}, {"b/c":1,"b\\/c":2}]}')).toMatchObject({ code: 'INVALID_JSON', pointer: '/a/1/b~1c' })
    expect(refusal('{"a":1,"\\u0061":2}').message).toMatch(/"a" is given twice at line 1, column 8/)
    expect(refusal('{"__proto__":1,"__proto__":2}').pointer).toBe('/__proto__')
    expect(readJson(Buffer.from('{"a":{"x":1},"b":{"x":1}}'))).toEqual({ a: { x: 1 }, b: { x: 1 } })
  })

  it('keeps __proto__ and constructor as plain data of their own', () => {
    const value = readJson(Buffer.from('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"x":1}}}'))
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  it('refuses nesting beyond 64 levels without running out of stack', () => {
    expect(readJson(Buffer.from('['.repeat(64) + ']'.repeat(64)))).toBeDefined()
    expect(refusal('['.repeat(65) + ']'.repeat(65)).message).toMatch(/deeper than 64 levels/)
    expect(refusal('['.repeat(100_000)).code).toBe('INVALID_JSON')
    expect(refusal('{"a":'.repeat(100_000)).code).toBe('INVALID_JSON')
  })

  it.each([
    '1e400',
    '-1e400',
    '1e-400',
    '9007199254740993',
    '12345678901234567890',
    '0.12345678901234567890123',
    `1${'0'.repeat(400)}`,
    '1e99999999999999999999',
  ])('refuses %s, which a double cannot hold, and asks for a string', (number) => {
    const { code, pointer, message } = refusal(`{"filters":{"id_in":[1,${number}]}}`)
    expect({ code, pointer }).toEqual({ code: 'VALIDATION_FAILED', pointer: '/filters/id_in/1' })
    expect(message).toMatch(/Send it as a string/)
  })

  it.each(['"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"'])('refuses the text %s, which no database holds', (text) => {
    expect(refusal(`{"metadata":{"a":${text}}}`)).toMatchObject({ code: 'VALIDATION_FAILED', pointer: '/metadata/a' })
  })

  it('reads a body at the size limit within a fraction of a second, whatever it is made of', () => {
    const bodies = [
      `"${'x'.repeat(1_000_000)}"`,
      `"${'\\n'.repeat(500_000)}"`,
      '1'.repeat(300),
      `[${'1,'.repeat(500_000)}1]`,
      `{${Array.from({ length: 60_000 }, (_, i) => `"key${i}":0`).join(',')}}`,
      `[${'{},'.repeat(300_000)}{}]`,
      '1'.repeat(1_000_000),
      `0.${'1'.repeat(1_000_000)}`,
      '\n'.repeat(1_000_000),
    ]
    for (const body of bodies) {
      const began = cpuMs()
      try {
        readJson(Buffer.from(body))
      } catch (thrown) {
        expect(asFreightError(thrown).code).not.toBe('INTERNAL')
      }
      expect(cpuMs() - began).toBeLessThan(1_000)
    }
  })

  it('gives what JSON.parse gives for random documents, and never throws anything but a FreightError on damaged ones', () => {
    const random = seeded(7)
    for (let round = 0; round < 2_000; round += 1) {
      const text = JSON.stringify(randomValue(random, 0))
      expect(readJson(Buffer.from(text))).toEqual(JSON.parse(text))
      const bytes = Buffer.from(text)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
      try {
        expect(readJson(bytes)).toEqual(JSON.parse(bytes.toString()))
      } catch (thrown) {
        expect(asFreightError(thrown).code).not.toBe('INTERNAL')
      }
    }
  })
})

function randomValue(random: () => number, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 3 ? 5 : 7))
  if (kind === 0) return null
  if (kind === 1) return random() < 0.5
  if (kind === 2) return Math.floor(random() * 1e9) - 5e8
  if (kind === 3) return random() * 10 ** Math.floor(random() * 40 - 20)
  if (kind === 4)
    return Array.from({ length: Math.floor(random() * 8) }, () => '"\\\n\té😀/a~ '[Math.floor(random() * 10)])
      .join('')
      .toWellFormed()
  if (kind === 5) return Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, depth + 1))
  return Object.fromEntries(
    Array.from({ length: Math.floor(random() * 4) }, (_, i) => [`k${i}~/`, randomValue(random, depth + 1)]),
  )
}
