/** The delivery contract. A back end is done when this suite passes on a real server. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Delivery, OutgoingFile, Patience } from '../../src/delivery/delivery.ts'

export interface DeliverySite {
  /** Into the folder `folder` of the export. */
  open(differences?: { patience?: Partial<Patience>; wrongCredentials?: boolean; folder?: string }): Delivery
  /** Final names below the destination's folder, with their bytes. */
  files(): Promise<ReadonlyMap<string, Buffer>>
  /** Whatever was begun and not finished. */
  leftovers(): Promise<readonly string[]>
  /** From now on the first `count` transfers of bytes meet a broken connection. */
  breakTransfers(count: number): void
  /** From now on the destination takes bytes and gives no sign. */
  hang(): void
  /** Nobody listens any more. */
  stop(): Promise<void>
  close(): Promise<void>
}

export const QUICK: Patience = { attempts: 3, silenceMs: 2_000, delayMs: () => 5 }
/** Of a size that needs several transfers in either back end. */
export const BIG = 350_000

export function outgoing(name: string, bytes: Buffer): OutgoingFile {
  return {
    name,
    mediaType: 'application/json',
    bytes: bytes.length,
    async read(range) {
      const wanted = range ? bytes.subarray(range.start, range.end + 1) : bytes
      return (async function* () {
        for (let at = 0; at < wanted.length; at += 100_000) yield wanted.subarray(at, at + 100_000)
      })()
    },
  }
}

const never = new AbortController().signal
const nothing = (): void => {}

/** One file, `a.json`, over a delivery of its own: what arrived, or what was thrown. */
export async function attempt(delivery: Delivery, bytes: Buffer = randomBytes(BIG)): Promise<unknown> {
  try {
    return await delivery.put(outgoing('a.json', bytes), never, nothing)
  } catch (thrown) {
    return thrown
  } finally {
    await delivery.close()
  }
}

export function describeDelivery(name: string, openSite: () => Promise<DeliverySite>): void {
  describe(`delivery to ${name}`, () => {
    let site: DeliverySite
    beforeEach(async () => {
      site = await openSite()
    })
    afterEach(() => site.close())

    it.each([0, 1, 70_000, BIG])('copies a file of %i bytes whole, below the folder of the export', async (length) => {
      const bytes = randomBytes(length)
      const delivery = site.open({ folder: 'ABC' })
      const arrival = await delivery.put(outgoing('articles 1.json', bytes), never, nothing)
      await delivery.close()
      expect(arrival).toMatchObject({ name: 'articles 1.json', bytes: length })
      expect([...(await site.files()).keys()]).toEqual(['ABC/articles 1.json'])
      expect((await site.files()).get('ABC/articles 1.json')?.equals(bytes)).toBe(true)
      expect(await site.leftovers()).toEqual([])
    })

    it('replaces what an earlier try left under the name', async () => {
      const delivery = site.open()
      await delivery.put(outgoing('a.json', Buffer.from('the earlier, longer text')), never, nothing)
      await delivery.put(outgoing('a.json', Buffer.from('new')), never, nothing)
      await delivery.close()
      expect(String((await site.files()).get('X/a.json'))).toBe('new')
    })

    it('survives broken connections, and the file is there once and whole', async () => {
      const bytes = randomBytes(BIG)
      site.breakTransfers(2)
      const delivery = site.open()
      await delivery.put(outgoing('a.json', bytes), never, nothing)
      await delivery.close()
      expect((await site.files()).get('X/a.json')?.equals(bytes)).toBe(true)
      expect(await site.leftovers()).toEqual([])
    })

    it('gives up after so many tries, and then nothing stands under the name', async () => {
      site.breakTransfers(1_000)
      const delivery = site.open()
      const put = delivery.put(outgoing('a.json', randomBytes(BIG)), never, nothing)
      await expect(put).rejects.toMatchObject({ kind: 'given_up', message: expect.stringMatching(/each of 3 times$/) })
      await delivery.close()
      expect((await site.files()).size).toBe(0)
    })

    it('does not try wrong credentials twice, and says so without repeating them', async () => {
      const delivery = site.open({ wrongCredentials: true })
      const error = await delivery.put(outgoing('a.json', Buffer.from('x')), never, nothing).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({
        kind: 'refused',
        message: expect.stringMatching(/^it refused the (?:credentials|user name)/),
      })
      const told = error instanceof Error ? `${error.stack} ${String(error.cause)} ${JSON.stringify(error.cause)}` : ''
      expect(told).not.toContain('wrong-secret')
      await delivery.close()
    })

    it('says that nobody listens', async () => {
      await site.stop()
      const delivery = site.open()
      const put = delivery.put(outgoing('a.json', Buffer.from('x')), never, nothing)
      await expect(put).rejects.toMatchObject({ kind: 'given_up', message: expect.stringContaining('(ECONNREFUSED)') })
      await delivery.close()
    })

    it('takes a destination that gives no sign for gone', async () => {
      site.hang()
      const delivery = site.open({ patience: { attempts: 2, silenceMs: 1_000 } })
      const put = delivery.put(outgoing('a.json', randomBytes(BIG)), never, nothing)
      await expect(put).rejects.toMatchObject({ kind: 'given_up', message: expect.stringContaining('gave no sign') })
      await delivery.close()
    })

    it('stops at once with the reason of the signal, while it sends and while it rests', async () => {
      const reason = new Error('cancelled by the test')
      site.hang()
      // The second has given up waiting when it is stopped, and still has time to take back what it sent.
      for (const [afterMs, patience] of [
        [300, { silenceMs: 30_000 }],
        [1_200, { silenceMs: 800, delayMs: () => 60_000 }],
      ] as const) {
        const delivery = site.open({ patience })
        const stop = new AbortController()
        setTimeout(() => stop.abort(reason), afterMs)
        const begun = Date.now()
        await expect(delivery.put(outgoing('a.json', randomBytes(BIG)), stop.signal, nothing)).rejects.toBe(reason)
        await delivery.close()
        expect(Date.now() - begun).toBeLessThan(15_000)
      }
      expect((await site.files()).size).toBe(0)
    })

    it('tells that it is alive while bytes arrive', async () => {
      let signs = 0
      const delivery = site.open()
      await delivery.put(outgoing('a.json', randomBytes(BIG)), never, () => {
        signs += 1
      })
      await delivery.close()
      expect(signs).toBeGreaterThan(2)
    })

    it('names its place without credentials', () => {
      expect(site.open().place).toMatch(/^(?:s3:\/\/exports|sftp:\/\/127\.0\.0\.1:\d+)\/in\/X$/)
    })
  })
}
