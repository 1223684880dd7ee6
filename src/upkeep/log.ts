/** Where upkeep tells what it has done and what it could not do. */
import type { Logger } from 'pino'

export type UpkeepLog = Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>
