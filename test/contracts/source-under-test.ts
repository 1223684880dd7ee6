/** What the contract of a source asks of who wants to keep it. */
import type { Source } from '../../src/sources/source.ts'

export interface SourceUnderTest {
  readonly source: Source
  /** Changes the database as another program would, committed when it resolves. */
  write(sql: string): Promise<void>
  close(): Promise<void>
}
