import { describe, expect, it } from 'vitest'
import { jsonContains, parseJson } from './json-containment.ts'

/** The examples of PostgreSQL's documentation, and what they leave open. */
describe('JSON containment', () => {
  it.each([
    ['"foo"', '"foo"', true],
    ['[1, 2, 3]', '[1, 3]', true],
    ['[1, 2, 3]', '[3, 1]', true],
    ['[1, 2, 3]', '[1, 2, 2]', true],
    ['{"product": "PostgreSQL", "version": 9.4, "jsonb": true}', '{"version": 9.4}', true],
    ['[1, 2, [1, 3]]', '[1, 3]', false],
    ['[1, 2, [1, 3]]', '[[1, 3]]', true],
    ['{"foo": {"bar": "baz"}}', '{"bar": "baz"}', false],
    ['{"foo": {"bar": "baz", "x": 1}}', '{"foo": {}}', true],
    ['["foo", "bar"]', '"bar"', true],
    ['"bar"', '["bar"]', false],
    ['{"a": null}', '{"a": null}', true],
    ['{}', '{"a": null}', false],
    ['{}', '{"constructor": {}}', false],
    ['9007199254740993', '9007199254740992', false],
    ['1.0', '1', true],
    ['[]', '{}', false],
  ])('%s contains %s: %s', (whole, part, expected) => {
    expect(jsonContains(whole, parseJson(part))).toBe(expected)
  })

  it('what is not JSON contains nothing that could be told', () => {
    expect(jsonContains('{a:1}', parseJson('{}'))).toBeNull()
  })
})
