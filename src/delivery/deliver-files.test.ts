import { describe, expect, it } from 'vitest'
import { outgoing } from '../../test/contracts/delivery.ts'
import { deliverFiles } from './deliver-files.ts'
import { type Delivery, DeliveryFault } from './delivery.ts'
import { loadPackage } from './optional-package.ts'
import { quiet } from './quiet.ts'

const files = ['a.json', 'b.json', 'c.json'].map((name) => outgoing(name, Buffer.from(name)))
const nothing = (): void => {}
const never = new AbortController().signal

function deliveryThat(put: Delivery['put']): Delivery & { closed: number } {
  return {
    place: 'sftp://sftp.example.com:22/in',
    put,
    closed: 0,
    async close() {
      this.closed += 1
    },
  }
}

describe('delivering files', () => {
  it('tells what arrived, in order, and closes', async () => {
    const delivery = deliveryThat(async ({ name, bytes }) => ({ name, bytes, verified: 'size' }))
    expect(await deliverFiles(delivery, files, never, nothing)).toEqual([
      { name: 'a.json', bytes: 6, verified: 'size' },
      { name: 'b.json', bytes: 6, verified: 'size' },
      { name: 'c.json', bytes: 6, verified: 'size' },
    ])
    expect(delivery.closed).toBe(1)
  })

  it.each([
    ['refused', 'DELIVERY_REFUSED'],
    ['given_up', 'DELIVERY_FAILED'],
  ] as const)('names the file that did not arrive and those that did: %s', async (kind, code) => {
    const delivery = deliveryThat(async ({ name, bytes }) => {
      if (name === 'b.json') throw new DeliveryFault(kind, 'it has no space left')
      return { name, bytes, verified: 'size' }
    })
    await expect(deliverFiles(delivery, files, never, nothing)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(
        'delivered to sftp://sftp.example.com:22/in: "b.json" did not arrive, for it has no space left. 1 of its 3 files arrived and stay there: a.json.',
      ),
    })
    expect(delivery.closed).toBe(1)
  })

  it('says that none arrived, and lets a stop through as it is', async () => {
    const none = deliveryThat(async () => {
      throw new DeliveryFault('refused', 'it refused the credentials')
    })
    await expect(deliverFiles(none, files, never, nothing)).rejects.toThrow('None of its files arrived.')
    const reason = new Error('stopped')
    const stopped = deliveryThat(async () => {
      throw reason
    })
    await expect(deliverFiles(stopped, files, never, nothing)).rejects.toBe(reason)
    expect(stopped.closed).toBe(1)
  })
})

describe('what a delivery says', () => {
  it('names the package that is not installed', async () => {
    const absent = 'ssh2-sftp-client-that-is-not-there'
    await expect(loadPackage(absent, () => import(absent))).rejects.toMatchObject({
      kind: 'refused',
      message: `this server lacks the package ${absent}; its operator can add it with "npm install ${absent}"`,
    })
  })

  it('keeps no secret and nothing attached of a cause', () => {
    const thrown = Object.assign(new Error('denied for canary with canary'), { code: 'EAUTH', request: { key: 'canary' } })
    const cause = quiet(thrown, ['canary', ''])
    expect(cause.message).toBe('Error (EAUTH): denied for *** with ***')
    expect(JSON.stringify({ ...cause })).not.toContain('canary')
    expect(String(cause.stack)).not.toContain('canary')
  })
})
