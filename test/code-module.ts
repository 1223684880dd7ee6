/** Resources in code, as an application would write them; for tests that import a module by its path. */
import { setTimeout as wait } from 'node:timers/promises'
import { type CodeResource, defineResource } from '../src/job/code-resource.ts'

/** What happened to the generators of this module, in this thread. */
export const seen: { asked: object[]; left: number; given: number } = { asked: [], left: 0, given: 0 }

const orders = defineResource({
  name: 'orders',
  fields: {
    id: { type: 'integer', required: true },
    total: 'decimal',
    at: 'timestamp',
    tags: 'json',
    photo: 'bytes',
    note: { type: 'text', required: false },
  },
  key: ['id'],
  filters: ['id_gt', 'note_in'],
  async *rows(request) {
    seen.asked.push(request)
    const from = Number(request.filters.id_gt ?? 0)
    yield {
      id: from + 1,
      total: '1.50',
      at: new Date('2024-02-29T12:00:00.123Z'),
      tags: ['a', 1n],
      photo: Uint8Array.of(1, 255),
      extra: 1,
    }
    yield [
      { id: BigInt(from) + 9007199254740993n, note: 'line\n"two"' },
      { id: from + 3, total: null },
    ]
    yield []
  },
  count: () => 3,
})

/** Every third row is wrong, each in another way. */
const wrong = defineResource({
  name: 'wrong',
  fields: { id: { type: 'integer', required: true }, note: 'text' },
  key: ['id'],
  async *rows() {
    const trap = {
      id: 12,
      get note(): string {
        throw new Error('secret of the getter')
      },
    }
    const faults: unknown[] = [{ id: 3, note: 3 }, { note: 'no id' }, 'text', trap, null, [[1]]]
    for (let id = 1; id <= 18; id++) yield (id % 3 === 0 ? [faults[id / 3 - 1]] : { id, note: `n${id}` }) as object
  },
})

const tenants = defineResource({
  name: 'tenants',
  fields: { id: 'integer', tenant_id: 'text' },
  tenant: 'tenant_id',
  async *rows() {
    for (let id = 1; id <= 6; id++) yield { id, tenant_id: id % 2 ? 'acme' : 'globex' }
  },
})

const endless = defineResource({
  name: 'endless',
  fields: { id: 'integer', pad: 'text' },
  async *rows() {
    try {
      for (let id = 1; ; id++) {
        seen.given = id
        yield { id, pad: 'x'.repeat(100) }
      }
    } finally {
      seen.left += 1
    }
  },
})

const silent = defineResource({
  name: 'silent',
  fields: { id: 'integer' },
  async *rows() {
    yield { id: 1 }
    await new Promise(() => {})
  },
})

/** Holds its thread for good. */
const stuck = defineResource({
  name: 'stuck',
  fields: { id: 'integer' },
  async *rows() {
    yield { id: 1 }
    for (;;);
  },
})

const slow = defineResource({
  name: 'slow',
  fields: { id: 'integer' },
  async *rows(_request, signal) {
    for (let id = 1; id <= 2_000; id++) {
      await wait(5, null, { signal })
      yield { id }
    }
  },
})

const failing = defineResource({
  name: 'failing',
  fields: { id: 'integer' },
  async *rows() {
    yield { id: 1 }
    throw new Error('password of the other API')
  },
})

/** As code without types may have it. */
const listed = defineResource({ name: 'listed', fields: { id: 'integer' }, rows: () => [{ id: 1 }] as never })

/** Throws as soon as nobody reads on. */
const clinging = defineResource({
  name: 'clinging',
  fields: { id: 'integer' },
  rows: () => ({
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ value: { id: 1 } }),
      return() {
        throw new Error('secret of the end')
      },
    }),
  }),
})

const code: readonly CodeResource[] = [orders, wrong, tenants, endless, silent, stuck, slow, failing, listed, clinging]
export default { code, resources: {} }
