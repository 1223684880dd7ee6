/** The check of sources that are files: where they lie, and in which folders Freight may look for them. */
import { resolve } from 'node:path'
import type { Place } from './place.ts'

/** Of files that stand for tables. */
export const FILE_TABLE_SCHEMES = ['parquet:', 'csv:']

/** Those, and that of a database file. */
export const FILE_SCHEMES = ['duckdb:', ...FILE_TABLE_SCHEMES]

/** What follows the scheme, from the root. */
export function checkFilePath(place: Place, scheme: string, path: string, base: string): string {
  if (path === '' || path === ':memory:' || path.includes('\0')) {
    const example =
      scheme === 'sqlite:' ? 'database file: sqlite:path/to/database.db' : `file: ${scheme}path/to/file.${scheme.slice(0, -1)}`
    throw place.invalid(`must name a ${example}.`)
  }
  if (/^\/\/[^/]/.test(path))
    throw place.invalid(`has two slashes; write ${scheme}path, or ${scheme}/path for one from the root.`)
  return resolve(base, path)
}

export function checkFolders(place: Place, value: unknown, url: string, base: string): { folders?: readonly string[] } {
  if (value === undefined) return {}
  if (!FILE_SCHEMES.some((scheme) => url.startsWith(scheme))) throw place.invalid(`is for ${FILE_SCHEMES.join(', ')} only.`)
  place.texts(value)
  const folders = (value as readonly string[]).map((folder) => resolve(base, folder))
  if (folders.length === 0) throw place.invalid('names no folder; leave it out for the one that the address begins with.')
  return { folders }
}
