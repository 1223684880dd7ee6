import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSecrets } from './secrets.ts'

const STRONG = 'k3Yq9-Zr7Lw2_Xv5Bn8'
const OLDER = 'p1Oa4-Ns6Dh0_Gj3Mc7'

describe('loading secrets', () => {
  let dataDir: string
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'freight-secrets-'))
  })
  afterEach(() => rm(dataDir, { recursive: true, force: true }))
  const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' })

  it('makes one of 256 bits once, keeps it for its owner only, and gives the same one ever after', async () => {
    const [made, ...others] = loadSecrets({ dataDir: join(dataDir, 'new'), secret: null, secretPrevious: null })
    expect(Buffer.from(made ?? '', 'base64url').length).toBe(32)
    expect(others).toEqual([])
    const path = join(dataDir, 'new', 'secret')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(path, 'utf8')).toBe(`${made}\n`)
    expect(await readdir(join(dataDir, 'new'))).toEqual(['secret'])
    expect(loadSecrets({ dataDir: join(dataDir, 'new'), secret: null, secretPrevious: null })).toEqual([made])
  })

  it('takes those that are given, the current one first, and then keeps none', async () => {
    expect(loadSecrets({ dataDir, secret: STRONG, secretPrevious: OLDER })).toEqual([STRONG, OLDER])
    expect(loadSecrets({ dataDir, secret: STRONG, secretPrevious: null })).toEqual([STRONG])
    expect(await readdir(dataDir)).toEqual([])
  })

  it('keeps links of the kept secret alive when one is given from now on', () => {
    const [kept = ''] = loadSecrets({ dataDir, secret: null, secretPrevious: null })
    expect(loadSecrets({ dataDir, secret: STRONG, secretPrevious: kept })).toEqual([STRONG, kept])
  })

  it.each(['', 'short', 'a'.repeat(64), 'abababababababababab'])('refuses %j, which is easy to guess', (secret) => {
    expect(() => loadSecrets({ dataDir, secret, secretPrevious: null })).toThrow(invalid)
    expect(() => loadSecrets({ dataDir, secret: STRONG, secretPrevious: secret })).toThrow(invalid)
  })

  it.each([0o644, 0o640, 0o620, 0o666, 0o604])('refuses a kept secret with mode %o, and names no path', async (mode) => {
    loadSecrets({ dataDir, secret: null, secretPrevious: null })
    await chmod(join(dataDir, 'secret'), mode)
    expect(() => loadSecrets({ dataDir, secret: null, secretPrevious: null })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining(dataDir) }),
    )
  })

  it.each(['', '\n', 'cut'])('refuses a kept secret that holds only %j', async (text) => {
    await writeFile(join(dataDir, 'secret'), text, { mode: 0o600 })
    expect(() => loadSecrets({ dataDir, secret: null, secretPrevious: null })).toThrow(invalid)
  })
})
