/** Packages that only some deliveries need are loaded when the first of these is made. */
import { DeliveryFault } from './delivery.ts'

/** Rejects with a DeliveryFault that names the package when it is not installed. */
export async function loadPackage<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    const message = `this server lacks the package ${name}; its operator can add it with "npm install ${name}"`
    throw new DeliveryFault('refused', message, cause)
  }
}
