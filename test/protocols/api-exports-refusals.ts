/** What api-exports says of what it refuses, and documents to be refused. */
import { expect } from 'vitest'
import { JSON_API, type WireAnswer } from './api-exports-site.ts'

/** Lists in lists. */
export const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

/** A creation whose further attributes are given as JSON text. */
export const document = (attributes: string): string =>
  `{"data":{"type":"exports","attributes":{"resource_type":"orders",${attributes}}}}`

/** The form of every error: nothing more, nothing else. */
export function expectError(answer: WireAnswer, status: number, code: string, source?: Record<string, string>): void {
  expect([answer.status, answer.body?.errors?.[0]?.code]).toEqual([status, code])
  expect(answer.headers['content-type']).toBe(JSON_API)
  expect(Object.keys(answer.body)).toEqual(['errors'])
  const [error, ...more] = answer.body.errors
  expect(more).toEqual([])
  expect(error).toMatchObject({ status: String(status), title: expect.stringMatching(/\S/), detail: expect.stringMatching(/\S/) })
  expect(Object.keys(error).filter((name) => !['title', 'detail', 'code', 'status', 'source', 'meta'].includes(name))).toEqual([])
  if (source) expect(error.source).toEqual(source)
  // Clients read `meta.error` of a 422 unguarded.
  if (status === 422) expect(error.meta).toMatchObject({ error: expect.stringMatching(/^[a-z_]+$/) })
  expect(answer.text).not.toMatch(/node_modules|FST_|select |\n {4}at |\/tmp\//)
  expect(answer.text.length).toBeLessThan(20_000)
}

export function idOf(shown: { readonly id: string } | undefined): string {
  if (!shown) throw new Error('the list shows fewer exports than the test needs')
  return shown.id
}
