/**
 * `dry_data`: rows as they could be put into another database. Left out at every depth, however they were asked for: the primary
 * key, created_at, updated_at, the fields the configuration names, and foreign keys whose relation is in the export (in either
 * direction: `order_id` inside `order.line_items` says what the nesting says).
 */
import type { Branch } from './branch.ts'

export type DryData = (branch: Branch, column: string) => boolean

export const keepAll: DryData = () => true

export const leaveOut: DryData = (branch, column) => {
  if (branch.resource.dryOmits.has(column)) return false
  if (branch.via?.kind === 'many' && branch.via.foreignColumns.includes(column)) return false
  return ![...branch.branches.values()].some(({ via }) => via?.kind === 'one' && via.localColumns.includes(column))
}
