/**
 * Standing links: one address for an export's file that works as long as the file is kept, for wires that hand a link out once. It is
 * signed like a download link and leads on to one of the usual short lifetime, minted when it is followed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../access/principal.ts'
import { FreightError } from '../job/errors.ts'
import { isExpired, type Job } from '../job/job.ts'
import type { UpkeepStore } from '../store/store.ts'
import { mayDownload } from './access.ts'
import { archiveName } from './archive-name.ts'
import type { ExportsContext } from './context.ts'

/** What a standing link leads to: the file that this run of the job wrote, or the archive of its files. */
interface LinkedRun {
  readonly jobId: string
  readonly run: number
}

export interface StandingLinkSigner {
  /** Path and query, for example `/links/0199.../1?expires=1769860800&signature=...`. For the same run and end always the same. */
  mintStanding(linked: LinkedRun, until: Date): string
  /**
   * `rawPathAndQuery` as it came over the wire. Throws LINK_INVALID for every spelling but the one that was minted, for a wrong
   * signature, and from the second on that `expires` names.
   */
  verifyStanding(rawPathAndQuery: string, now: Date): LinkedRun
}

const LINK = /^\/links\/([0-9a-f-]{36})\/([1-9][0-9]{0,9})\?expires=([1-9][0-9]{0,11})&signature=([A-Za-z0-9_-]{43})$/
const LONGEST_LINK = 200

/** `signing` signs, every one of `secrets` verifies. */
export function standingLinks(secrets: readonly string[], signing: string): StandingLinkSigner {
  return {
    mintStanding(linked, until) {
      // Rounded up: a link works at least as long as it was said to.
      const address = unsigned(linked, Math.ceil(until.getTime() / 1000))
      return `${address}&signature=${signatureOf(address, signing)}`
    },
    verifyStanding(rawPathAndQuery, now) {
      const [, jobId, run, expires, signature] = rawPathAndQuery.length > LONGEST_LINK ? [] : (LINK.exec(rawPathAndQuery) ?? [])
      if (!jobId || !run || !expires || !signature) throw invalid()
      const linked = { jobId, run: Number(run) }
      const address = unsigned(linked, Number(expires))
      // Compared as the 43 characters they are sent as: decoding would accept four spellings of the last one.
      const given = Buffer.from(signature)
      const matches = secrets.map((secret) => timingSafeEqual(given, Buffer.from(signatureOf(address, secret))))
      if (!matches.includes(true) || now.getTime() >= Number(expires) * 1000) throw invalid()
      return linked
    },
  }
}

function unsigned({ jobId, run }: LinkedRun, expires: number): string {
  return `/links/${jobId}/${run}?expires=${expires}`
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
  return mayDownload(context, caller, job) ? linkOf(context, job, now) : null
}

function linkOf({ links }: Pick<ExportsContext, 'links'>, job: Job, now: Date): string | null {
  if (job.status !== 'completed' || job.expiresAt === null || isExpired(job, now) || job.files.length === 0) return null
  return links.mintStanding({ jobId: job.id, run: job.run }, job.expiresAt)
}

/**
 * The download link that a standing link leads to, minted now and recorded as a `linked` event. Throws LINK_INVALID, and
 * EXPORT_EXPIRED where the file is gone.
 */
export async function followStandingLink(
  { links, store, now }: Pick<ExportsContext, 'links' | 'store' | 'now'>,
  jobs: Pick<UpkeepStore, 'find'>,
  rawPathAndQuery: string,
  address: string | null = null,
): Promise<string> {
  const at = now()
  const { jobId, run } = links.verifyStanding(rawPathAndQuery, at)
  const job = await jobs.find(jobId)
  const [file, second] = job?.files ?? []
  if (!job || !file || job.run !== run || job.filesRemovedAt !== null || linkOf({ links }, job, at) === null) {
    throw new FreightError('EXPORT_EXPIRED', 'The file behind this link has expired or was removed. Create the export again.')
  }
  const index = second ? 'zip' : 1
  await store.addEvent(jobId, 'linked', at, { file: index }, { by: 'standing link', from: address })
  return links.mint({ jobId, run, index, name: second ? archiveName(job) : file.name }, at)
}
