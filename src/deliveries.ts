/**
 * From a configuration to the deliveries it allows; used by `service.ts`, which judges destinations when they are asked for, and by run
 * threads, which open their credentials and copy files there. Beside `service.ts` and `parts.ts` the only file that names a back end.
 */
import { createSealer, type Sealer } from './access/sealed.ts'
import { loadSecrets } from './access/secrets.ts'
import type { Config } from './config/resolved.ts'
import { deliverFiles } from './delivery/deliver-files.ts'
import { type Arrival, type Delivery, DeliveryFault, type OutgoingFile, type Patience } from './delivery/delivery.ts'
import { createReach } from './delivery/reach.ts'
import { createS3Delivery } from './delivery/s3.ts'
import { createSftpDelivery } from './delivery/sftp.ts'
import { retryDelayMs } from './job/backoff.ts'
import type { Destination, S3Credentials, SftpCredentials } from './job/destination.ts'

export interface Deliveries {
  /** For the credentials of destinations. */
  readonly sealer: Sealer
  /** Null when a destination may be on this host, as far as its name tells; else why not. */
  refusal(host: string): string | null
  /**
   * Copies the files into `folder` below the destination. Resolves when each is whole there and verified. Rejects with DELIVERY_REFUSED,
   * DELIVERY_FAILED, CONFIG_INVALID (the credentials cannot be opened any more) or the signal's reason.
   */
  deliver(
    destination: Destination,
    folder: string,
    files: readonly OutgoingFile[],
    watch: { readonly signal: AbortSignal; alive(): void },
  ): Promise<{ place: string; arrivals: readonly Arrival[] }>
}

export type DeliveriesConfig = Pick<Config, 'delivery' | 'dataDir' | 'secret' | 'secretPrevious'>

/** Each silence is shorter than that which ends a run: a destination that is gone ends as one, not as a run that hangs. */
const PATIENCE: Patience = { attempts: 5, silenceMs: 30_000, delayMs: (failures) => retryDelayMs(failures, Math.random) }

export function createDeliveries(config: DeliveriesConfig): Deliveries {
  const sealer = createSealer(loadSecrets(config), 'destination')
  const { hosts, networks } = config.delivery
  const reach = createReach({ hosts, networks })

  const open = (destination: Destination, folder: string): Delivery => {
    // Sealed by `exports/destination.ts`, from the type it is read back as.
    const credentials: unknown = JSON.parse(sealer.open(destination.sealed))
    const common = { folder, reach, patience: PATIENCE }
    if (destination.kind === 's3') {
      const endpoint = destination.endpoint ?? config.delivery.s3Endpoint
      return createS3Delivery({ ...common, destination: { ...destination, endpoint }, credentials: credentials as S3Credentials })
    }
    const hostKey = config.delivery.hostKeys[destination.host] ?? null
    return createSftpDelivery({ ...common, destination, credentials: credentials as SftpCredentials, hostKey })
  }

  return {
    sealer,
    refusal(host) {
      try {
        reach.assertHost(host)
        return null
      } catch (thrown) {
        if (thrown instanceof DeliveryFault) return thrown.message
        throw thrown
      }
    },
    async deliver(destination, folder, files, { signal, alive }) {
      const delivery = open(destination, folder)
      return { place: delivery.place, arrivals: await deliverFiles(delivery, files, signal, alive) }
    },
  }
}
