/**
 * Which files a source of files is made of, and which of them are one table. Only files inside the folders that the configuration
 * names count, wherever symbolic links lead.
 */
import { glob, realpath, stat } from 'node:fs/promises'
import { basename, extname, sep } from 'node:path'
import { FreightError } from '../../job/errors.ts'

export interface TableFiles {
  readonly table: string
  /** Resolved paths, in the order in which they are read. */
  readonly paths: readonly string[]
}

const WILDCARD = /[*?[{]/

/**
 * The first part of the path with a wildcard names the tables: `data/*.csv` has a table per file, `lake/*\/*.parquet` one per folder.
 * Without a wildcard the one file is the one table. Rejects with SOURCE_UNAVAILABLE where a file leads out of the folders.
 */
export async function findTables(pattern: string, folders: readonly string[]): Promise<TableFiles[]> {
  const allowed = await Promise.all(folders.map(resolved))
  const level = pattern.split(sep).findIndex((part) => WILDCARD.test(part))
  const tables = new Map<string, string[]>()
  for (const path of await matches(pattern, level)) {
    const real = await resolved(path)
    if (!(await stat(real)).isFile()) continue
    if (!allowed.some((folder) => real.startsWith(folder.endsWith(sep) ? folder : folder + sep))) throw outside()
    const part = level < 0 ? basename(path) : (path.split(sep)[level] ?? '')
    const table = part === basename(path) ? part.slice(0, part.length - extname(part).length) || part : part
    tables.set(table, [...(tables.get(table) ?? []), real])
  }
  return [...tables].map(([table, paths]) => ({ table, paths: paths.sort() })).sort((a, b) => (a.table < b.table ? -1 : 1))
}

async function matches(pattern: string, level: number): Promise<string[]> {
  if (level < 0) return [pattern]
  const found: string[] = []
  for await (const path of glob(pattern)) found.push(path)
  return found
}

async function resolved(path: string): Promise<string> {
  return await realpath(path).catch((cause: unknown) => {
    throw new FreightError(
      'SOURCE_UNAVAILABLE',
      'A file or folder of the source is not there, or may not be read; check its address.',
      {
        cause,
      },
    )
  })
}

function outside(): FreightError {
  return new FreightError(
    'SOURCE_UNAVAILABLE',
    'A file of the source lies outside the folders that the configuration names, or is a link that leads there; name its folder in "folders" if it may be read.',
  )
}

/** What a file is now: another when it was written to or replaced. */
export async function identityOf(path: string): Promise<string> {
  const stats = await stat(path, { bigint: true }).catch(() => null)
  return stats === null ? 'gone' : `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs}`
}
