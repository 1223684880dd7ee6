/** Runs the real command line in a child process, as a person or a script does. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../bin/freight.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface FreightOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly nodeFlags?: readonly string[]
}

/** No variable of the developer's own settings reaches the child. */
function environment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !/^(FREIGHT_|PORT$|HOST$|NODE_OPTIONS$|VITEST)/.test(name))
  return { ...(Object.fromEntries(own) as Record<string, string>), ...extra }
}

export function startFreight(args: readonly string[], { cwd, env, nodeFlags = [] }: FreightOptions): ChildProcess {
  return spawn(process.execPath, [...nodeFlags, BIN, ...args], { cwd, env: environment(env), stdio: 'pipe' })
}

/** Resolves when the command has ended, whatever its exit code. */
export function freight(args: readonly string[], options: FreightOptions): Promise<Ended> {
  const child = startFreight(args, options)
  child.stdin?.end(options.input ?? '')
  return ended(child)
}

export async function ended(child: ChildProcess): Promise<Ended> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}
