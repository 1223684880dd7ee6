import { describe, expect, it } from 'vitest'
import { createSealer } from './sealed.ts'

const NOW = 'k3Yq9-Zr7Lw2_Xv5Bn8-k3Yq9-Zr7Lw2'
const BEFORE = 'p1Oa4-Ns6Dh0_Gj3Mc7-p1Oa4-Ns6Dh0'
const refusal = expect.objectContaining({ code: 'CONFIG_INVALID' })

describe('a sealer', () => {
  it.each(['', 'x', 'ключ 😀 \0 "quotes"\n', 'a'.repeat(100_000)])('opens what it sealed: %j', (text) => {
    const sealer = createSealer([NOW], 'test')
    expect(sealer.open(sealer.seal(text))).toBe(text)
  })

  it('never writes the text, nor the same seal twice', () => {
    const { seal } = createSealer([NOW], 'test')
    const [one, two] = [seal('AKIAEXAMPLEKEY'), seal('AKIAEXAMPLEKEY')]
    expect(one).toMatch(/^s1\.[A-Za-z0-9_-]+$/)
    expect(one).not.toBe(two)
    expect(Buffer.from(one.slice(3), 'base64url').toString('latin1')).not.toContain('AKIA')
  })

  it('opens what the secret before sealed, and seals with the new one', () => {
    const old = createSealer([BEFORE], 'test').seal('kept')
    const rotated = createSealer([NOW, BEFORE], 'test')
    expect(rotated.open(old)).toBe('kept')
    expect(createSealer([NOW], 'test').open(rotated.seal('new'))).toBe('new')
    expect(() => createSealer([NOW], 'test').open(old)).toThrow(refusal)
  })

  it('does not open what was sealed for another purpose', () => {
    const sealed = createSealer([NOW], 'one').seal('x')
    expect(() => createSealer([NOW], 'two').open(sealed)).toThrow(refusal)
  })

  it('opens nothing in which any one character differs, is missing or is added', () => {
    const sealer = createSealer([NOW], 'test')
    const sealed = sealer.seal('a credential')
    // The last character holds bits that no byte needs; every other one counts.
    for (let at = 0; at < sealed.length - 1; at += 1) {
      const other = sealed[at] === 'A' ? 'B' : 'A'
      expect(() => sealer.open(sealed.slice(0, at) + other + sealed.slice(at + 1)), `at ${at}`).toThrow(refusal)
      expect(() => sealer.open(sealed.slice(0, at))).toThrow(refusal)
    }
    expect(() => sealer.open(`${sealed}AAAA`)).toThrow(refusal)
  })

  it('says neither the secret nor what was sealed when it cannot open', () => {
    try {
      createSealer([NOW], 'test').open('s1.AAAA')
    } catch (error) {
      expect(String(error)).not.toContain(NOW)
      expect(String(error)).not.toContain('s1.')
    }
    expect(() => createSealer([], 'test')).toThrow(refusal)
  })
})
