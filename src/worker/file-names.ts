/** Names of an export's files, as they are stored and downloaded. */
import type { CheckedPart } from '../job/spec.ts'

/**
 * `orders-2026-11-22.csv`; safe as a storage key's last segment. A resource that occurs twice is numbered, and so are the files of a
 * part that is split (`job/numbered-name.ts`).
 */
export function fileNames(parts: readonly Pick<CheckedPart, 'resource'>[], extension: string, createdAt: Date): string[] {
  const day = createdAt.toISOString().slice(0, 10)
  const seen = new Map<string, number>()
  return parts.map(({ resource }) => {
    const stem =
      resource
        .replaceAll(/[^A-Za-z0-9._-]/g, '_')
        .replace(/^[.]+/, '')
        .slice(0, 100) || 'export'
    const occurrence = (seen.get(stem) ?? 0) + 1
    seen.set(stem, occurrence)
    const number = occurrence > 1 ? `-${occurrence}` : ''
    return `${stem}-${day}${number}.${extension}`
  })
}
