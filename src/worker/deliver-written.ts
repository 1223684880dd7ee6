/** Copies a run's files from storage to the caller's destination, under the run's own watchdog. */
import type { Deliveries } from '../deliveries.ts'
import type { Destination } from '../job/destination.ts'
import type { ManifestDelivery } from '../job/manifest.ts'
import type { Storage } from '../storage/storage.ts'
import type { DeliveryWatch, RunInput, WrittenFile } from './run.ts'

export async function deliverWritten(
  { exportId, run }: Pick<RunInput, 'exportId' | 'run'>,
  destination: Destination,
  files: readonly WrittenFile[],
  watch: DeliveryWatch,
  { storage, deliveries }: { storage: Storage; deliveries: Deliveries },
): Promise<ManifestDelivery> {
  const outgoing = files.map(({ name, mediaType, bytes }) => ({
    name,
    mediaType,
    bytes,
    read: (range?: { start: number; end: number }) => storage.read(`${exportId}/${run}/${name}`, range),
  }))
  // A run that was begun again has a folder of its own: what an earlier one left behind is never taken for a part of it.
  const folder = run === 1 ? exportId : `${exportId}-${run}`
  const { place, arrivals } = await deliveries.deliver(destination, folder, outgoing, watch)
  return { place, files: arrivals, deliveredAt: new Date().toISOString() }
}
