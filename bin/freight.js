#!/usr/bin/env node
// Starts the command line. Only syntax that Node 12 can read stands here, so that an old Node gets one clear line instead of a
// syntax error. In a checkout the TypeScript runs as it stands; the package holds dist/ instead.
// biome-ignore lint/style/useNodejsImportProtocol: Node before 12.20 does not know `node:`.
import { existsSync } from 'fs'
// biome-ignore lint/style/useNodejsImportProtocol: as above.
import * as nodeModule from 'module'

const major = Number(process.versions.node.split('.')[0])

if (major < 24) {
  console.error(
    `Freight needs Node 24 or newer; this is Node v${process.versions.node}. Install a newer one from https://nodejs.org, or where "npm install" has been run use "npx freight".`,
  )
  process.exit(1)
} else {
  // Starting takes a third less time from the second start on.
  const cache = nodeModule.enableCompileCache()
  // Threads and processes of an export find it by the environment only; a reader thread is there in 0.1 s instead of 0.4 s.
  if (cache.directory && !process.env.NODE_COMPILE_CACHE) process.env.NODE_COMPILE_CACHE = cache.directory
  const source = new URL('../src/cli/main.ts', import.meta.url)
  const main = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url)
  import(main.href).catch((error) => {
    console.error(`Freight could not be started: ${error.message}`)
    process.exit(1)
  })
}
