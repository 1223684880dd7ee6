/** `freight serve --demo`, which is `npm start`: from nothing to a running service and a finished file. */
import { mkdir, open } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { FreightError } from '../../job/errors.ts'
import { type Service, startService } from '../../service.ts'
import { count } from '../progress-bar.ts'
import { type AddressFlags, openLog, untilStopped, withAddress } from '../serving.ts'
import { demoSettings } from '../settings.ts'
import { onStopSignal } from '../signals.ts'
import { DEMO_TENANT, demoKey } from './demo-key.ts'
import { type Api, runFirstExport } from './first-export.ts'
import { hasSampleData, makeSampleData } from './sample-data.ts'

const LINES_SHOWN = 3

export async function serveDemo(flags: AddressFlags): Promise<number> {
  const { config: settings, samplePath } = demoSettings()
  const config = withAddress(settings, flags)
  await makeDataDir(config.dataDir)
  if (!hasSampleData(samplePath)) {
    say(`Making the sample database in ${shown(config.dataDir)} (once; it takes a few seconds) ...`)
    makeSampleData(samplePath)
  }
  const key = await demoKey(config)
  // The terminal is drawn on, so the log goes to a file.
  const log = await openLog(config.logLevel, join(config.dataDir, 'freight.log'))
  const stop = onStopSignal()
  const service = await startService(config, log)
  try {
    await present(service, { url: service.url, key }, stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) {
      await service.stop()
      throw error
    }
  }
  return untilStopped(service, stop)
}

async function makeDataDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    throw new FreightError(
      'STORAGE_UNAVAILABLE',
      'The data folder cannot be made; set FREIGHT_DATA to one that can be written.',
      { cause: error },
    )
  }
}

async function present(service: Service, api: Api, signal: AbortSignal): Promise<void> {
  say(`Freight answers at ${api.url}. First export: the orders of tenant ${DEMO_TENANT}, as CSV.\n`)
  const { id, rows } = await runFirstExport(api, { resource: 'orders', format: 'csv' }, process.stdout, signal)
  const [file] = await service.locate(id)
  if (file === undefined) throw new Error('The first export has no file.')
  say(`${count(rows)} orders are in ${shown(file)}, which begins:\n`)
  for (const line of await firstLines(file)) say(line)
  say(`
API      ${api.url}
Docs     ${api.url}/docs
API key  ${api.key}  (tenant ${DEMO_TENANT})

Clients of Commerce Layer, eGain, SodiumHQ and HookBridge are answered as well,
at /api/exports, /content/export, /clients/export/csv and /v1/exports.

Ask for another export:
  curl -X POST ${api.url}/exports -H 'Authorization: Bearer ${api.key}' -H 'Content-Type: application/json' -d '{"resource":"customers","format":"ndjson"}'

Download the finished one:
  curl -L -o orders.csv -H 'Authorization: Bearer ${api.key}' ${api.url}/exports/${id}/file

Ctrl-C stops it.`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Relative where it lies below the current folder. */
function shown(path: string): string {
  const below = relative(process.cwd(), path)
  return below.startsWith(`..${sep}`) || below === '..' ? path : below || '.'
}

async function firstLines(path: string): Promise<string[]> {
  const file = await open(path)
  try {
    const lines: string[] = []
    for await (const line of file.readLines()) {
      lines.push(line)
      if (lines.length === LINES_SHOWN) break
    }
    return lines
  } finally {
    await file.close()
  }
}
