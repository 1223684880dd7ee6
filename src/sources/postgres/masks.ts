/**
 * Masks in SQL, as `mask.ts` makes them in code: values are masked before the server sends them.
 *
 * The key reaches the server as bound values of two settings of the transaction, never as part of a statement: statements are kept where
 * others read them (`pg_stat_activity`, `pg_stat_statements`, the server's log, and its errors' context). A log of every statement with its
 * bound values holds it (docs/sources.md says how to keep it out).
 */
import type pg from 'pg'
import { FreightError } from '../../job/errors.ts'
import type { CheckedPart, MaskName } from '../../job/spec.ts'
import { HASH_DIGITS, hashesAny, hmacPads } from '../mask.ts'
import type { RowPlace } from './dialect.ts'
import { literal } from './literals.ts'
import type { Bench } from './relations.ts'

const INNER = 'freight.mask_inner'
const OUTER = 'freight.mask_outer'

/** For this transaction, where one of the parts has a hashed field. Throws without a key: a setting that is left over must never serve as one. */
export async function setMaskKey(client: pg.ClientBase, parts: readonly CheckedPart[], maskKey: string | null): Promise<void> {
  if (!hashesAny(parts)) return
  if (maskKey === null)
    throw new FreightError('SOURCE_FAILED', 'Fields of this export are hashed, and there is no key to hash with.')
  const { inner, outer } = hmacPads(maskKey)
  await client.query('select pg_catalog.set_config($1, $2, true), pg_catalog.set_config($3, $4, true)', [
    INNER,
    inner.toString('hex'),
    OUTER,
    outer.toString('hex'),
  ])
}

/** An expression: the text that stands for the column, NULL where that is NULL. */
export function maskedCell(bench: Bench, place: RowPlace, name: string, mask: MaskName): string {
  const column = bench.dialect.column(place, name)
  if (mask === 'null') return 'null::text'
  const { base, sort } = bench.tables.column(place.table, name)
  // A composite whose members are all null `is null`, and yet is there.
  const isNull = sort === 'c' ? `pg_catalog.num_nulls(${column}) = 1` : `${column} is null`
  const text = ownText(column, base)
  if (mask === 'partial')
    return `case when ${isNull} then null ${base === 'bytea' ? `else '***'` : partialCases(bench, text)} end`
  // In SQL_ASCII the server does not know the encoding, and what it holds is taken as it is.
  const encoding = bench.isValidText ? 'UTF8' : 'SQL_ASCII'
  return `case when ${isNull} then null else ${hashSql(base === 'bytea' ? column : `pg_catalog.convert_to(${text}, '${encoding}')`)} end`
}

/** As the file would have it; in the one collation in which every text can be searched. */
function ownText(column: string, base: string): string {
  const isCast = base === 'text' || base === 'varchar' || base === 'bool'
  // A cast of others drops the blanks of `char(n)` and adds a network mask to `inet`; `concat` takes the type's own output.
  return `(${isCast ? `${column}::text` : `pg_catalog.concat(${column})`} collate pg_catalog."C")`
}

function partialCases(bench: Bench, text: string): string {
  const at = `pg_catalog.strpos(${text}, '@')`
  return [
    // Bytes of an unknown encoding are no characters: cutting them could break one or show more than the last four.
    ...(bench.isValidText ? [] : [`when ${text} ~ '[^\\x01-\\x7f]' then '***'`]),
    `when ${at} > 1 then pg_catalog.left(${text}, 1) || '***' || pg_catalog.substr(${text}, ${at})`,
    `when pg_catalog.char_length(${text}) >= 8 then '***' || pg_catalog.right(${text}, 4)`,
    `else '***'`,
  ].join(' ')
}

/** The subselects are read once for a statement. */
function hashSql(bytes: string): string {
  const pad = (name: string): string => `(select pg_catalog.decode(pg_catalog.current_setting(${literal(name)}), 'hex'))`
  const inner = `pg_catalog.sha256(${pad(INNER)} || ${bytes})`
  return `pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(${pad(OUTER)} || ${inner}), 'hex'), ${HASH_DIGITS})`
}
