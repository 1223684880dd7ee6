/** Commerce Layer's own client, pointed at a server of the rig as a team would: with another `fetch`. */
import { setTimeout } from 'node:timers/promises'
import { type ApiError, CommerceLayerStatic } from '@commercelayer/sdk'
import { CommerceLayer, type CommerceLayerBundle } from '@commercelayer/sdk/bundle'
import type { Server } from '../rig.ts'

export function sdkClient(server: Pick<Server, 'url'>, accessToken: string): CommerceLayerBundle {
  return CommerceLayer({
    organization: 'acme',
    // Without one it takes what the token's issuer is called for a domain.
    domain: 'freight.example',
    accessToken,
    fetch: (input, init) => {
      const { pathname, search } = new URL(String(input))
      return fetch(server.url + pathname + search, init)
    },
  })
}

type Export = Awaited<ReturnType<CommerceLayerBundle['exports']['retrieve']>>

export async function untilStatus(client: CommerceLayerBundle, id: string, status: string): Promise<Export> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    const shown = await client.exports.retrieve(id)
    if (shown.status === status) return shown
    await setTimeout(20)
  }
  throw new Error(`${id} did not become ${status}`)
}

/** What the client throws when it is refused. */
export async function refusal(asked: Promise<unknown>): Promise<ApiError> {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (CommerceLayerStatic.isApiError(error)) return error
  throw new Error(`no ApiError: ${String(error)}`)
}
