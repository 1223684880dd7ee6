/** What a configuration is refused with: the one line that its author is shown. */

import type { Environment } from '../src/config/environment.ts'
import { loadConfig } from '../src/config.ts'
import { FreightError } from '../src/job/errors.ts'

export function refusalOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return messageOf(error)
  }
  throw new Error('nothing was refused')
}

/** Of the file in `cwd`, or of the one that is named. */
export async function loadRefusal(input: { cwd: string; env?: Environment; file?: string }): Promise<string> {
  try {
    await loadConfig({ env: {}, ...input })
  } catch (error) {
    return messageOf(error)
  }
  throw new Error('nothing was refused')
}

function messageOf(error: unknown): string {
  if (error instanceof FreightError && error.code === 'CONFIG_INVALID') return error.message
  throw error
}
