/** What a server really has in its storage, seen from outside. */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Site } from './rig.ts'

/** Paths below the storage folder, unfinished writes included: `{job}/{run}/{name}`. */
export async function storedFiles(site: Site): Promise<string[]> {
  const root = join(site.dataDir, 'files')
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

/** Of one export. */
export async function filesOf(site: Site, id: string): Promise<string[]> {
  return (await storedFiles(site)).filter((path) => path.startsWith(id))
}

export function storedBytes(site: Site, path: string): Promise<Buffer> {
  return readFile(join(site.dataDir, 'files', path))
}
