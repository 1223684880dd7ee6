import { describe, expect, it } from 'vitest'
import { TimeWriter } from './times.ts'

function write(text: string, timeZone = 'UTC'): string | null {
  const src = new Uint8Array(Buffer.from(`${text}"\n`))
  const out = new Uint8Array(80)
  const times = new TimeWriter(timeZone)
  const p = times.write(src, 0, out, 0)
  if (p < 0) return null
  expect(times.end).toBe(text.length)
  return Buffer.from(out.subarray(0, p)).toString()
}

describe('times as RFC 3339', () => {
  it.each([
    ['2024-01-02 03:04:05', '2024-01-02T03:04:05Z'],
    ['2024-01-02T03:04:05', '2024-01-02T03:04:05Z'],
    ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05Z'],
    ['2024-01-02 03:04:05.1', '2024-01-02T03:04:05.1Z'],
    ['2024-01-02 03:04:05.123456789', '2024-01-02T03:04:05.123456789Z'],
    ['2024-01-02 03:04:05.100+00', '2024-01-02T03:04:05.100Z'],
    ['2024-01-02 03:04:05-00:00', '2024-01-02T03:04:05Z'],
    ['2024-01-02 03:04:05+05:30', '2024-01-01T21:34:05Z'],
    ['2023-12-31 23:04:05.5-01:00:30', '2024-01-01T00:04:35.5Z'],
    ['2024-02-29 00:00:00', '2024-02-29T00:00:00Z'],
    ['2000-03-01 00:30:00+01', '2000-02-29T23:30:00Z'],
    ['1900-03-01 00:30:00+01', '1900-02-28T23:30:00Z'],
    ['0001-01-01 00:00:00', '0001-01-01T00:00:00Z'],
    ['9999-12-31 23:59:59.999', '9999-12-31T23:59:59.999Z'],
  ])('writes %s as %s', (text, written) => {
    expect(write(text)).toBe(written)
  })

  it.each([
    ['', 'infinity', '-infinity', 'now', '2024', '2024-01-02', '1714979289', '2024-01-02 03:04', '2024-01-02 03:04:05.'],
    [
      '2024-01-02 03:04:05.1234567890',
      '2024-01-02 03:04:05 BC',
      '2024-01-02 03:04:05 ',
      ' 2024-01-02 03:04:05',
      '2024-1-2 03:04:05',
    ],
    [
      '2023-02-29 00:00:00',
      '1900-02-29 00:00:00',
      '2024-13-01 00:00:00',
      '2024-00-01 00:00:00',
      '2024-04-31 00:00:00',
      '2024-01-00 00:00:00',
    ],
    ['2024-01-02 24:00:00', '2024-01-02 03:60:05', '2024-01-02 03:04:60', '2024-01-02 03:04:05+24', '2024-01-02 03:04:05+0530'],
    ['10000-01-01 00:00:00', '294276-12-31 23:59:59', '2024-01-02t03:04:05', '2024-01-02 03:04:05z', '2024-01-02 03:04:05+01:'],
    [
      '9999-12-31 23:59:59-01',
      '0000-01-01 00:00:00+01',
      '2024/01/02 03:04:05',
      '2024-01-02 03.04.05',
      '2024-01-02 03:04:05+01:00:00:00',
    ],
  ])('keeps what is no such time: %s, %s, %s, %s, %s', (...texts) => {
    expect(texts.map((text) => write(text))).toEqual(texts.map(() => null))
  })

  it.each([
    ['Europe/Paris', '2024-07-01 12:00:00', '2024-07-01T14:00:00+02:00'],
    ['Europe/Paris', '2024-12-01 12:00:00.25', '2024-12-01T13:00:00.25+01:00'],
    ['Europe/Paris', '2024-03-31 00:59:59', '2024-03-31T01:59:59+01:00'],
    ['Europe/Paris', '2024-03-31 01:00:00', '2024-03-31T03:00:00+02:00'],
    ['Europe/Paris', '2024-10-27 00:30:00', '2024-10-27T02:30:00+02:00'],
    ['Europe/Paris', '2024-10-27 01:30:00', '2024-10-27T02:30:00+01:00'],
    ['Asia/Kolkata', '2024-02-28 20:00:00', '2024-02-29T01:30:00+05:30'],
    ['Asia/Kathmandu', '2023-12-31 20:00:00', '2024-01-01T01:45:00+05:45'],
    ['America/St_Johns', '2024-01-01 01:00:00', '2023-12-31T21:30:00-03:30'],
    ['Australia/Lord_Howe', '2024-04-06 15:00:00', '2024-04-07T01:30:00+10:30'],
    // Local mean time was 9 minutes and 21 seconds ahead: RFC 3339 has no seconds there, and the instant stays exact.
    ['Europe/Paris', '1900-01-01 00:00:00', '1900-01-01T00:09:00+00:09'],
  ])('writes local time with its offset: %s at %s is %s', (zone, text, written) => {
    expect(write(text, zone)).toBe(written)
  })

  it('agrees with Date about 20,000 instants, in a zone whose clocks change', () => {
    const src = new Uint8Array(64)
    const out = new Uint8Array(80)
    const times = new TimeWriter('America/Sao_Paulo')
    for (let k = 0; k < 20_000; k++) {
      const at = new Date(-5_000_000_000_000 + k * 937_654_321)
      src.set(Buffer.from(`${at.toISOString().slice(0, 19).replace('T', ' ')}"\n`))
      const p = times.write(src, 0, out, 0)
      const written = Buffer.from(out.subarray(0, p)).toString()
      expect(Date.parse(written)).toBe(Math.floor(at.getTime() / 1000) * 1000)
    }
  })
})
