/** The embedding API, and what a `freight.config.ts` imports. The only file that re-exports. */
export {
  type Config,
  defineConfig,
  type FreightConfig,
  loadConfig,
  type ResourceConfig,
  resolveConfig,
  type SourceConfig,
} from './config.ts'
export { type CodeField, type CodeRequest, type CodeResource, type CodeRows, defineResource } from './job/code-resource.ts'
export { type ErrorCode, FreightError } from './job/errors.ts'
export type { Manifest } from './job/manifest.ts'
export type { ExportRequest } from './job/spec.ts'
export { exportOnce, type OneShot } from './one-shot.ts'
export { type Service, startService } from './service.ts'
