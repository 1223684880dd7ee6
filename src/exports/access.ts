/** What a caller may do with an export: by their tenant, by their scopes, and by whose rows went into it. */
import type { Principal } from '../access/principal.ts'
import { FreightError } from '../job/errors.ts'
import type { Job } from '../job/job.ts'
import { type Deed, mayEver } from '../job/scopes.ts'
import type { ExportsContext } from './context.ts'

const DEED_WORDS: Readonly<Record<Deed, string>> = {
  read: 'see exports',
  write: 'create or change exports',
  download: 'download files',
}

/** Throws FORBIDDEN where the caller may do this with no export at all: said before anything is looked up. */
export function assertMay(caller: Principal, deed: Deed): void {
  if (mayEver(caller.scopes, deed)) return
  throw forbidden(`This caller may not ${DEED_WORDS[deed]}: that takes the scope exports:${deed}.`)
}

/**
 * For protocols whose callers name no resource, and so are not told that there is none: throws FORBIDDEN where the caller may not do this with
 * each of these.
 */
export function assertMayWith(
  context: Pick<ExportsContext, 'catalog'>,
  caller: Principal,
  resources: readonly string[],
  deed: Deed,
): void {
  assertMay(caller, deed)
  const catalog = context.catalog()
  if (resources.every((name) => catalog.allows(name, caller, deed))) return
  throw forbidden(`This caller may not ${DEED_WORDS[deed]} of this kind: that takes exports:${deed} on each resource in it.`)
}

/** Rows that the caller may not see make an export unknown to them: its counts and its log tell of those rows, too. */
export function isVisible(
  context: Pick<ExportsContext, 'catalog'>,
  caller: Principal,
  { spec }: Pick<Job, 'spec'>,
  deed: Deed,
): boolean {
  const catalog = context.catalog()
  if (!catalog.covers(spec, caller)) return false
  return catalog.permits(spec, caller, 'read') || catalog.permits(spec, caller, deed)
}

/** Throws FORBIDDEN. Of an export that is visible, or one that is yet to be made. */
export function assertPermitted(
  context: Pick<ExportsContext, 'catalog'>,
  caller: Principal,
  { spec }: Pick<Job, 'spec'>,
  deed: Deed,
): void {
  if (context.catalog().permits(spec, caller, deed)) return
  const missing = deed === 'download' ? (spec.access?.scopes ?? []).filter((scope) => !caller.scopes.includes(scope)) : []
  const why =
    missing.length > 0 ? `it holds fields that take ${missing.join(', ')}` : `that takes exports:${deed} on each resource in it`
  throw forbidden(`This caller may not ${DEED_WORDS[deed]} of this kind: ${why}.`)
}

/** For answers that hold a link to the files. */
export function mayDownload(context: Pick<ExportsContext, 'catalog'>, caller: Principal, job: Job): boolean {
  const catalog = context.catalog()
  return catalog.covers(job.spec, caller) && catalog.permits(job.spec, caller, 'download')
}

function forbidden(message: string): FreightError {
  return new FreightError('FORBIDDEN', message)
}
