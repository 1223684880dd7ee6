/** The part of the store's contract about `exclusive`: one unfinished job for each text of a tenant. */
import { expect, it } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { at, completionOf, fault, found, newJob } from './sample-job.ts'

const exclusive = 'portal 1'
const refused = expect.objectContaining({ code: 'EXPORT_ACTIVE' })

export function describeExclusive(store: () => Store): void {
  it('of simultaneous jobs with the same exclusive text one is created, and nothing is left of the others', async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1)
    const key = (number: number) => ({ key: `k${number}`, fingerprint: 'f', expiresAt: at(1_000) })
    const tries = await Promise.allSettled(numbers.map((number) => store().create(newJob(number, { exclusive }), key(number))))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const each of tries) if (each.status === 'rejected') expect(each.reason).toEqual(refused)
    expect((await store().pending()).length).toBe(1)
    const lost = numbers.find((number) => tries[number - 1]?.status === 'rejected') ?? 0
    expect(await store().recall('acme', key(lost), at(1))).toBeNull()
  })

  it('another text, another tenant and no text at all are in nobody’s way', async () => {
    await store().create(newJob(1, { exclusive }), null)
    await store().create(newJob(2, { exclusive: 'portal 2' }), null)
    await store().create(newJob(3, { exclusive, tenant: 'globex' }), null)
    await store().create(newJob(4), null)
    await store().create(newJob(5), null)
    expect((await store().pending()).length).toBe(5)
  })

  it('an exclusive text is taken while its job is pending, in progress or interrupted, and free when it has ended', async () => {
    const next = (number: number) => store().create(newJob(number, { exclusive }), null)
    const first = found((await next(1)).job)
    const claimed = found(await store().claim(first.id, at(2)))
    await expect(next(2)).rejects.toEqual(refused)
    await store().retry(first.id, claimed.run, fault, at(3), at(3))
    await expect(next(3)).rejects.toEqual(refused)
    await store().interrupt('acme', first.id, at(4))
    await expect(next(4)).rejects.toEqual(refused)
    await store().start('acme', first.id, at(5))
    const again = found(await store().claim(first.id, at(6)))
    await store().complete(first.id, again.run, completionOf(again, at(7), at(1_000)))
    const second = found((await next(5)).job)
    await store().cancel('acme', second.id, at(8))
    expect((await next(6)).created).toBe(true)
  })

  it('a failed job cannot be started again while another has its exclusive text', async () => {
    const first = found((await store().create(newJob(1, { exclusive }), null)).job)
    const claimed = found(await store().claim(first.id, at(2)))
    await store().fail(first.id, claimed.run, fault, [], at(3))
    const second = found((await store().create(newJob(2, { exclusive }), null)).job)
    await expect(store().start('acme', first.id, at(4))).rejects.toEqual(refused)
    expect((await store().get('acme', first.id))?.status).toBe('failed')
    await store().cancel('acme', second.id, at(5))
    expect((await store().start('acme', first.id, at(6)))?.status).toBe('pending')
  })
}
