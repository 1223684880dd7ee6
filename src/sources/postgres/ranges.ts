/**
 * Cuts a table by its key, or by its blocks, into ranges of about the same size. Where the cuts fall decides only how evenly the work is spread: the
 * ranges always cover every row once.
 */
import type pg from 'pg'
import type { ColumnFacts } from './facts.ts'
import { quoteName } from './literals.ts'

export interface CutBy {
  /** What the ranges are of; `place`: where the rows lie. */
  readonly key: ColumnFacts | 'place'
  /** `schema.table`, quoted. */
  readonly table: string
  readonly namespace: string
  readonly name: string
}

/** Texts of keys or places: from the first on, up to the second and without it; null for no bound. */
export interface KeyRange {
  readonly from: string | null
  readonly to: string | null
}

/** Small enough that a range which is not yet due fits into memory. */
const RANGE_BYTES = 4 * 1024 * 1024
const MOST_RANGES = 10_000
const WHOLE: readonly KeyRange[] = [{ from: null, to: null }]

/** Keys of a type as whole numbers, so that places between two of them can be worked out. */
interface Scale {
  /** Text of keys that have a number. */
  readonly finite: (key: string) => string
  readonly number: (text: string) => bigint
  readonly text: (number: bigint) => string
}

const INTEGER: Scale = { finite: () => 'true', number: BigInt, text: String }
const UUID: Scale = {
  finite: () => 'true',
  number: (text) => BigInt(`0x${text.replaceAll('-', '')}`),
  text: (number) => number.toString(16).padStart(32, '0'),
}
/** Milliseconds are fine enough to cut at. Years before 1 and after 9999 are spelled otherwise and left out. */
const TIMESTAMP: Scale = {
  finite: (key) => `${key} between '0001-01-02' and '9999-12-30'`,
  number: (text) => BigInt(Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`)),
  text: (number) => new Date(Number(number)).toISOString(),
}
const SCALES: Readonly<Record<string, Scale>> = {
  int2: INTEGER,
  int4: INTEGER,
  int8: INTEGER,
  uuid: UUID,
  timestamp: TIMESTAMP,
  timestamptz: TIMESTAMP,
}

export function canBeCut(base: string): boolean {
  return Object.hasOwn(SCALES, base)
}

/** In the order of the key. One range where the table is small. */
export async function cutTable(client: pg.ClientBase, { key, ...by }: CutBy): Promise<readonly KeyRange[]> {
  const { rows } = await client.query<{ bytes: string; blocks: string }>(SIZE_SQL, [by.table])
  const count = Math.min(MOST_RANGES, Math.ceil(Number(rows[0]?.bytes) / RANGE_BYTES))
  if (count < 2) return WHOLE
  if (key === 'place') return rangesBetween(cutsBetween([0n, BigInt(rows[0]?.blocks ?? 0)], count).map((block) => `(${block},0)`))
  const scale = SCALES[key.base]
  if (!scale) return WHOLE
  const keys = await client.query<{ text: string }>(anchorsSql(by.table, key, scale), [by.namespace, by.name, key.name])
  const anchors = keys.rows.map(({ text }) => scale.number(text))
  return rangesBetween(cutsBetween(anchors, count).map(scale.text))
}

const SIZE_SQL = `select greatest(pg_catalog.pg_table_size($1::regclass),
  (select sum(pg_catalog.pg_table_size(relid)) from pg_catalog.pg_partition_tree($1::regclass)))::int8 as bytes,
  pg_catalog.pg_relation_size($1::regclass) / pg_catalog.current_setting('block_size')::int8 as blocks`

/** The lowest and highest key, and between them those that ANALYZE found to part the rows evenly. */
function anchorsSql(table: string, key: ColumnFacts, { finite }: Scale): string {
  const name = quoteName(key.name)
  const edge = (order: 'asc' | 'desc'): string =>
    `(select ${name} as key from ${table} where ${finite(name)} order by ${name} ${order} limit 1)`
  const between = `select bound::${key.base} as key from pg_catalog.pg_stats, unnest(histogram_bounds::text::text[]) bound
    where schemaname = $1 and tablename = $2 and attname = $3`
  const all = `${edge('asc')} union ${edge('desc')} union (${between})`
  return `select key::text as text from (${all}) anchors where ${finite('key')} order by anchors.key`
}

/** Ascending, and at most so many that `count` ranges come of them: evenly between anchors that part the rows evenly. */
export function cutsBetween(anchors: readonly bigint[], count: number): bigint[] {
  const cuts: bigint[] = []
  const gaps = anchors.length - 1
  for (let range = 1; range < count && gaps > 0; range++) {
    const at = Math.floor((range * gaps) / count)
    const [low, high] = [anchors[at] ?? 0n, anchors[at + 1] ?? 0n]
    const share = BigInt(range * gaps - at * count)
    const cut = low + ((high - low) * share) / BigInt(count)
    if (cut > (cuts.at(-1) ?? anchors[0] ?? 0n)) cuts.push(cut)
  }
  return cuts
}

function rangesBetween(cuts: readonly string[]): KeyRange[] {
  const bounds = [null, ...cuts, null]
  return bounds.slice(1).map((to, index) => ({ from: bounds[index] ?? null, to }))
}
