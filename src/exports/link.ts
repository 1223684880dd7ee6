/**
 * Download links: a path with an expiry and a signature. A link is minted for each request and never stored; it carries its
 * own permission, so the download asks for no key.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { actorOf, type Principal } from '../access/principal.ts'
import { FreightError } from '../job/errors.ts'
import { isExpired, type Job } from '../job/job.ts'
import { mayDownload } from './access.ts'
import { archiveName } from './archive-name.ts'
import type { ExportsContext } from './context.ts'
import { getExport } from './get.ts'
import type { LinkedFile, LinkSigner } from './link-signer.ts'
import { standingLinks } from './standing-link.ts'

/** The longest link there can be: 3 bytes of escape for each of up to 200 UTF-8 bytes of name and 400 of who asked, and the rest. */
const LONGEST_LINK = 2_200
const LINK =
  /^\/downloads\/([0-9a-f-]{36})\/([1-9][0-9]{0,9})\/([1-9][0-9]{0,5}|zip)\/([^/?#]{1,700})\?expires=([1-9][0-9]{0,11})(?:&by=([A-Za-z0-9%._~!'()*-]{1,1200}))?&signature=([A-Za-z0-9_-]{43})$/

/** The first of `secrets` signs, all verify, so a rotation breaks no link before its end. */
export function createLinkSigner(options: { secrets: readonly string[]; lifetimeMs: number }): LinkSigner {
  const [signing] = options.secrets
  if (signing === undefined) throw new FreightError('CONFIG_INVALID', 'A secret is needed to sign download links.')
  return {
    ...standingLinks(options.secrets, signing),
    mint(file, now, lifetimeMs = options.lifetimeMs) {
      // Rounded up: a link works at least as long as it was said to.
      const expires = Math.ceil((now.getTime() + lifetimeMs) / 1000)
      const address = unsigned(file, expires)
      return `${address}&signature=${signatureOf(address, signing).toString('base64url')}`
    },
    verify(rawPathAndQuery, now) {
      const parsed = parse(rawPathAndQuery)
      if (!parsed) throw invalid()
      const address = unsigned(parsed.file, parsed.expires)
      if (rawPathAndQuery !== `${address}&signature=${parsed.signature}`) throw invalid()
      // Compared as the 43 characters they are sent as: decoding would accept four spellings of the last one.
      const given = Buffer.from(parsed.signature)
      const matches = options.secrets.map((secret) =>
        timingSafeEqual(given, Buffer.from(signatureOf(address, secret).toString('base64url'))),
      )
      if (!matches.includes(true)) throw invalid()
      if (now.getTime() >= parsed.expires * 1000) throw invalid()
      return parsed.file
    },
  }
}

function unsigned({ jobId, run, index, name, by }: LinkedFile, expires: number): string {
  const who = by === undefined ? '' : `&by=${encodeURIComponent(by)}`
  return `/downloads/${jobId}/${run}/${index}/${encodeURIComponent(name)}?expires=${expires}${who}`
}

/** The prefix keeps these signatures apart from anything else that the same secret may sign. */
function signatureOf(address: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`freight download link\n${address}`).digest()
}

function parse(raw: string): { file: LinkedFile; expires: number; signature: string } | null {
  if (raw.length > LONGEST_LINK) return null
  const [, jobId, run, index, escaped, expires, who, signature] = LINK.exec(raw) ?? []
  if (!jobId || !run || !index || !escaped || !expires || !signature) return null
  const name = decoded(escaped)
  if (name === null) return null
  const file = { jobId, run: Number(run), index: index === 'zip' ? index : Number(index), name } as const
  if (who === undefined) return { file, expires: Number(expires), signature }
  const by = decoded(who)
  return by === null ? null : { file: { ...file, by }, expires: Number(expires), signature }
}

function decoded(escaped: string): string | null {
  try {
    return decodeURIComponent(escaped)
  } catch {
    return null
  }
}

/** One answer for altered and for late: a link's holder can do the same thing about both. */
function invalid(): FreightError {
  return new FreightError('LINK_INVALID', 'This download link was altered or its time is over. Ask for a new one at the export.')
}

/**
 * A link to file `index` (from 1), or to the only file when `index` is null. Recorded as a `linked` event with who asked. While a split
 * export runs, its files that are whole already have links by their number.
 *
 * Throws FORBIDDEN, NOT_FOUND (no such export or file), EXPORT_NOT_READY (not completed, or the file is not whole yet), EXPORT_EXPIRED, and
 * SEVERAL_FILES when `index` is null and there is more than one.
 */
export async function mintLink(context: ExportsContext, caller: Principal, id: string, index: number | null): Promise<string> {
  const job = await getExport(context, caller, id, 'download')
  const now = context.now()
  const number = index ?? 1
  if (index === null || !isWholeAlready(job, number)) assertDownloadable(job, now)
  if (index === null && job.files.length > 1) {
    throw new FreightError(
      'SEVERAL_FILES',
      `This export has ${job.files.length} files. Ask for one by its number: /exports/${job.id}/files/1 to /files/${job.files.length}; or for all in one archive: /exports/${job.id}/files.zip.`,
      { details: { status: job.status } },
    )
  }
  const file = job.files[number - 1]
  if (!file) {
    const has = job.files.length === 1 ? '1 file' : `${job.files.length} files`
    throw new FreightError('NOT_FOUND', `This export has ${has}; there is no file ${number}. Files count from 1.`)
  }
  await context.store.addEvent(job.id, 'linked', now, { file: number }, actorOf(caller))
  return context.links.mint({ jobId: job.id, run: job.run, index: number, name: file.name, by: caller.id }, now)
}

function isWholeAlready(job: Job, number: number): boolean {
  return job.status === 'in_progress' && job.files[number - 1] !== undefined
}

/** A link to all files in one zip archive. Throws NOT_FOUND, EXPORT_NOT_READY and EXPORT_EXPIRED as above. */
export async function mintArchiveLink(context: ExportsContext, caller: Principal, id: string): Promise<string> {
  const job = await getExport(context, caller, id, 'download')
  const now = context.now()
  assertDownloadable(job, now)
  await context.store.addEvent(job.id, 'linked', now, { file: 'zip' }, actorOf(caller))
  return context.links.mint({ jobId: job.id, run: job.run, index: 'zip', name: archiveName(job), by: caller.id }, now)
}

/**
 * A link for an answer that shows one each time it is read: to the only file of a completed job, to the archive of several. Not recorded, for
 * whoever reads an answer has downloaded nothing yet. Null where the caller may not have the files, or there are none now.
 */
export function linkToFiles(context: ExportsContext, caller: Principal, job: Job, lifetimeMs: number): string | null {
  const now = context.now()
  const [only, second] = job.files
  const isThere = job.status === 'completed' && !isExpired(job, now) && job.filesRemovedAt === null
  if (!only || !isThere || !mayDownload(context, caller, job)) return null
  const linked = second ? { index: 'zip' as const, name: archiveName(job) } : { index: 1, name: only.name }
  return context.links.mint({ jobId: job.id, run: job.run, ...linked, by: caller.id }, now, lifetimeMs)
}

function assertDownloadable(job: Job, now: Date): void {
  if (isExpired(job, now)) {
    throw new FreightError('EXPORT_EXPIRED', 'The files of this export have expired and were removed. Create the export again.', {
      details: { status: 'expired' },
    })
  }
  if (job.status !== 'completed') {
    throw new FreightError(
      'EXPORT_NOT_READY',
      `This export is ${job.status}; its files can be downloaded once it is completed.`,
      {
        details: { status: job.status },
      },
    )
  }
}
