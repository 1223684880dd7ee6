import { gunzipSync } from 'node:zlib'
import { describeCompression } from '../../test/contracts/compression.ts'
import { gzipCompression } from './gzip.ts'

describeCompression('gzip', { compression: gzipCompression, unpack: (packed) => gunzipSync(packed), tool: 'gzip' })
