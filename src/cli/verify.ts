/** `freight verify`: checks files against a manifest, offline. */
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { checkFile } from './check-file.ts'
import { CommandFailure } from './fault.ts'
import { bytesText, count } from './progress-bar.ts'
import { type Receipt, type ReceiptFile, readReceipt } from './receipt.ts'
import { EXIT, refuseRepeats } from './usage.ts'

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .summary('check files against a manifest, offline')
    .description('Check bytes, SHA-256 and rows of files against a manifest, offline. Exit code 0: all are right.')
    .argument('<manifest>', "a manifest, or the API's answer about an export; - is standard input")
    .argument('[file...]', 'the files; by default looked for beside the manifest')
  refuseRepeats(command)
  command.action(async (manifest: string, files: readonly string[]) => {
    const receipt = readReceipt(await readManifest(manifest))
    let allRight = true
    for (const { path, expected } of pairFiles(receipt, manifest, files)) {
      const problems = await checkFile(path, expected, receipt)
      if (problems.length > 0) allRight = false
      const found =
        problems.length > 0 ? `FAILED: ${problems.join('; ')}` : `OK, ${count(expected.rows)} rows, ${bytesText(expected.bytes)}`
      process.stdout.write(`${path}: ${found}\n`)
    }
    process.exitCode = allRight ? EXIT.done : EXIT.failed
  })
}

async function readManifest(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8')
  } catch (error) {
    throw new CommandFailure(`The manifest "${path}" cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

interface Pair {
  readonly path: string
  readonly expected: ReceiptFile
}

/** Files are known by their names; where none has the manifest's name (it was saved under another), by their order. */
function pairFiles({ files: expected }: Receipt, manifest: string, files: readonly string[]): Pair[] {
  if (expected.length === 0) throw new CommandFailure('This manifest lists no files.')
  const folder = manifest === '-' ? '.' : dirname(manifest)
  if (files.length === 0) return expected.map((file) => ({ path: join(folder, basename(file.name)), expected: file }))
  const byName = files.map((path) => ({ path, expected: expected.find((file) => file.name === basename(path)) }))
  if (byName.every((pair): pair is Pair => pair.expected !== undefined)) return byName
  const names = expected.map((file) => file.name).join(', ')
  return files.map((path, index) => {
    const file = expected[index]
    if (!file || files.length !== expected.length) {
      throw new CommandFailure(`The manifest lists ${names}; give those, or ${expected.length} in that order.`, {
        exitCode: EXIT.usage,
      })
    }
    return { path, expected: file }
  })
}
