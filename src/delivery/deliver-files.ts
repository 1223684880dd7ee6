/** Copies an export's files to their destination, one after the other, and tells what arrived. */
import { FreightError } from '../job/errors.ts'
import type { Arrival, Delivery, OutgoingFile } from './delivery.ts'
import { DeliveryFault } from './delivery.ts'

/** A message is read by people; beyond this many names they count. */
const NAMES_TOLD = 20

/**
 * Every file, whole and verified. Rejects with DELIVERY_REFUSED or DELIVERY_FAILED, which name the file that did not arrive, why, and those
 * that did; or with the signal's reason. The delivery is closed either way.
 */
export async function deliverFiles(
  delivery: Delivery,
  files: readonly OutgoingFile[],
  signal: AbortSignal,
  alive: () => void,
): Promise<readonly Arrival[]> {
  const arrived: Arrival[] = []
  try {
    for (const file of files) {
      try {
        arrived.push(await delivery.put(file, signal, alive))
      } catch (thrown) {
        if (!(thrown instanceof DeliveryFault)) throw thrown
        throw notDelivered(delivery.place, file.name, thrown, arrived, files.length)
      }
    }
  } finally {
    await delivery.close()
  }
  return arrived
}

function notDelivered(
  place: string,
  name: string,
  fault: DeliveryFault,
  arrived: readonly Arrival[],
  count: number,
): FreightError {
  const told = arrived.slice(0, NAMES_TOLD).map((arrival) => arrival.name)
  if (arrived.length > told.length) told.push('...')
  const which =
    arrived.length === 0
      ? 'None of its files arrived.'
      : `${arrived.length} of its ${count} files arrived and stay there: ${told.join(', ')}.`
  return new FreightError(
    fault.kind === 'refused' ? 'DELIVERY_REFUSED' : 'DELIVERY_FAILED',
    `The export could not be delivered to ${place}: "${name}" did not arrive, for ${fault.message}. ${which} When the cause is gone, start the export again: it is read and delivered anew.`,
    { cause: fault.cause },
  )
}
