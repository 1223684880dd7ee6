import { zstdDecompressSync } from 'node:zlib'
import { describeCompression } from '../../test/contracts/compression.ts'
import { zstdCompression } from './zstd.ts'

describeCompression('zstd', { compression: zstdCompression, unpack: (packed) => zstdDecompressSync(packed), tool: 'zstd' })
