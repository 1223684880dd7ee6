/**
 * The opaque cursor of a list: the id that the page before ended with, bound by a digest to the tenant and the filters. It is no
 * secret and grants nothing (a list shows a tenant's own exports, whatever the cursor); the digest makes a cursor that was altered or
 * belongs to another list an error, where it would show the wrong page.
 */
import { createHash } from 'node:crypto'
import { FreightError } from '../../job/errors.ts'
import type { ListQuery } from './request-schemas.ts'

type Filters = Pick<ListQuery, 'status' | 'resource' | 'reference'>

export function writeCursor(before: string, tenant: string, filters: Filters): string {
  return `${before}.${digest(before, tenant, filters)}`
}

/** Throws VALIDATION_FAILED for everything that `writeCursor` has not written for this tenant and these filters. */
export function readCursor(cursor: string, tenant: string, filters: Filters): string {
  const before = cursor.split('.')[0] ?? ''
  if (cursor !== writeCursor(before, tenant, filters)) {
    throw new FreightError(
      'VALIDATION_FAILED',
      'This cursor does not belong to this list. Send next_cursor as it was given, with the filters of the page before.',
      { details: { pointer: 'cursor' } },
    )
  }
  return before
}

function digest(before: string, tenant: string, { status, resource, reference }: Filters): string {
  const list = JSON.stringify([before, tenant, status ?? null, resource ?? null, reference ?? null])
  return createHash('sha256').update(list).digest('base64url').slice(0, 22)
}
