/**
 * The check of a configuration file: every name and value, before anything starts.
 *
 * A misspelt key must not be ignored: `hidde: ['password_hash']` would offer the column.
 */

import { checkProtocols } from '../protocols/settings.ts'
import { checkIssuers, checkLimits } from './access.ts'
import { checkCode } from './code.ts'
import { checkDelivery } from './delivery.ts'
import type { Settings } from './environment.ts'
import { Place } from './place.ts'
import type { Config } from './resolved.ts'
import { checkResources } from './resources.ts'
import { checkSources } from './sources.ts'

type Offer = Omit<Config, keyof Settings>

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Longer than the largest sort that was tried takes to its first row, short enough that a dead disk is noticed. */
const NO_PROGRESS_MS = 5 * MINUTE_MS

/**
 * `file` null: served without a configuration. `base` is the folder that relative paths start from, `modulePath` the file itself where it
 * is one: threads import it for its `code`.
 */
export function checkConfig(file: unknown, base: string, shown: string, modulePath: string | null = null): Offer {
  const root = new Place(shown, '')
  const config = file === null ? {} : root.object(file, CONFIG_KEYS)
  const amount = (key: string, most: number, otherwise: number): number =>
    config[key] === undefined ? otherwise : root.at(key).number(config[key], most)
  const count = (key: string, most: number, otherwise: number): number =>
    config[key] === undefined ? otherwise : root.at(key).count(config[key], most)
  const code = checkCode(root, config.code, modulePath)
  const named = file === null ? {} : checkSources(root, config, base)
  const tables = file === null ? {} : checkResources(root.at('resources'), config, named)
  const sources = { ...named, ...code.sources }
  const resources = { ...tables, ...code.resources }
  for (const name of Object.keys(tables))
    if (Object.hasOwn(code.resources, name))
      throw root.at('resources').at(name).invalid('is the name of a resource in code, too.')
  return {
    sources,
    resources,
    delivery: checkDelivery(root.at('delivery'), config.delivery),
    protocols: checkProtocols(root.at('protocols'), config.protocols, Object.keys(resources)),
    concurrency: count('concurrency', 64, 2),
    retentionMs: amount('retentionDays', 3_650, 7) * DAY_MS,
    // Seven days are the longest that S3 signs a link for; no storage is asked for more.
    linkMs: amount('linkMinutes', 7 * 24 * 60, 5) * MINUTE_MS,
    drainMs: amount('drainSeconds', 3_600, 30) * 1_000,
    maxRunMs: amount('maxRunHours', 24 * 7, 12) * HOUR_MS,
    noProgressMs: NO_PROGRESS_MS,
    requestsPerMinute: count('requestsPerMinute', 1_000_000, 1_200),
    issuers: checkIssuers(root.at('issuers'), config.issuers, base),
    limits: checkLimits(root.at('limits'), config.limits),
    tokenMs: amount('tokenMinutes', 24 * 60, 60) * MINUTE_MS,
    auditMs: amount('auditDays', 36_500, 365) * DAY_MS,
  }
}

const CONFIG_KEYS =
  'source sources resources code protocols delivery issuers limits concurrency retentionDays linkMinutes tokenMinutes auditDays drainSeconds maxRunHours requestsPerMinute'.split(
    ' ',
  )
