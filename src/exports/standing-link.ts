/**
 * Standing links: one address for an export's file that works as long as the file is kept, for wires that hand a link out once. It is
 * signed like a download link and leads on to one of the usual short lifetime, minted when it is followed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../access/principal.ts'
import { FreightError } from '../job/errors.ts'
import { isExpired, type Job } from '../job/job.ts'
import type { KeyStore, UpkeepStore } from '../store/store.ts'
import { mayDownload } from './access.ts'
import { archiveName } from './archive-name.ts'
import type { ExportsContext } from './context.ts'
import { assertHolds, linkHolder } from './link-holder.ts'
import type { LinkedRun, StandingLinkSigner } from './link-signer.ts'

const LINK =
  /^\/links\/([0-9a-f-]{36})\/([1-9][0-9]{0,9})\?expires=([1-9][0-9]{0,11})&by=([A-Za-z0-9%._~!'()*-]{1,1200})&signature=([A-Za-z0-9_-]{43})$/
/** 3 bytes of escape for each of up to 400 of who was given it, and the rest. */
const LONGEST_LINK = 1_400

/** `signing` signs, every one of `secrets` verifies. */
export function standingLinks(secrets: readonly string[], signing: string): StandingLinkSigner {
  return {
    mintStanding(linked, until) {
      // Rounded up: a link works at least as long as it was said to.
      const address = unsigned(linked, Math.ceil(until.getTime() / 1000))
      return `${address}&signature=${signatureOf(address, signing)}`
    },
    verifyStanding(rawPathAndQuery, now) {
      const parts = rawPathAndQuery.length > LONGEST_LINK ? null : LINK.exec(rawPathAndQuery)
      const [, jobId, run, expires, by, signature] = parts ?? []
      if (!jobId || !run || !expires || !by || !signature) throw invalid()
      const address = rawPathAndQuery.slice(0, rawPathAndQuery.lastIndexOf('&'))
      // Compared as the 43 characters they are sent as: decoding would accept four spellings of the last one.
      const given = Buffer.from(signature)
      const matches = secrets.map((secret) => timingSafeEqual(given, Buffer.from(signatureOf(address, secret))))
      if (!matches.includes(true) || now.getTime() >= Number(expires) * 1000) throw invalid()
      // Signed, so it was written by `encodeURIComponent`.
      return { jobId, run: Number(run), by: decodeURIComponent(by) }
    },
  }
}

function unsigned({ jobId, run, by }: LinkedRun, expires: number): string {
  return `/links/${jobId}/${run}?expires=${expires}&by=${encodeURIComponent(by)}`
}

/** The prefix keeps these signatures apart from anything else that the same secret may sign. */
function signatureOf(address: string, secret: string): string {
  return createHmac('sha256', secret).update(`freight standing link\n${address}`).digest('base64url')
}

function invalid(): FreightError {
  return new FreightError('LINK_INVALID', 'This download link was altered or its time is over. Ask for a new one at the export.')
}

/** Null unless there is a file to lead to, and the caller may have it. */
export function standingLink(
  context: Pick<ExportsContext, 'links' | 'catalog'>,
  caller: Principal,
  job: Job,
  now: Date,
): string | null {
  const { expiresAt } = job
  if (expiresAt === null || !hasFiles(job, now) || !mayDownload(context, caller, job)) return null
  return context.links.mintStanding({ jobId: job.id, run: job.run, by: caller.id }, expiresAt)
}

function hasFiles(job: Job, now: Date): boolean {
  return job.status === 'completed' && !isExpired(job, now) && job.files.length > 0 && job.filesRemovedAt === null
}

/**
 * The download link that a standing link leads to, minted now for whoever was given it and recorded as a `linked` event. Throws LINK_INVALID, also
 * where they may not have the files any more, and EXPORT_EXPIRED where the file is gone.
 */
export async function followStandingLink(
  context: Pick<ExportsContext, 'links' | 'store' | 'catalog' | 'now'>,
  records: Pick<UpkeepStore, 'find'> & Pick<KeyStore, 'findKey'>,
  rawPathAndQuery: string,
  address: string | null = null,
): Promise<string> {
  const { links, store } = context
  const at = context.now()
  const { jobId, run, by } = links.verifyStanding(rawPathAndQuery, at)
  const holder = await linkHolder(records, by)
  const job = await records.find(jobId)
  const [file, second] = job?.files ?? []
  if (!job || !file || job.run !== run || !hasFiles(job, at)) {
    throw new FreightError('EXPORT_EXPIRED', 'The file behind this link has expired or was removed. Create the export again.')
  }
  assertHolds(context, holder, job)
  const index = second ? 'zip' : 1
  await store.addEvent(jobId, 'linked', at, { file: index, link: 'standing' }, { by, from: address })
  return links.mint({ jobId, run, index, name: second ? archiveName(job) : file.name, by }, at)
}
