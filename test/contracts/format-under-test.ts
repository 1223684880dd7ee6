/** What the contract of a format asks of who wants to keep it. */
import type { Format } from '../../src/formats/format.ts'

export interface FormatUnderTest {
  readonly format: Format
  /** The records of a file, each cell as text: a number as its digits, null for NULL. By a reader that knows nothing of Freight. */
  read(file: Buffer): Records | Promise<Records>
  /** How the format writes bytes. */
  bytes(bytes: Buffer): string
  /** How many UTF-16 units a cell holds; what is longer is cut, and counted. Absent: any number. */
  readonly cellUnits?: number
  /** The file is a container, in which neither text can be looked for nor rows stand that came written. */
  readonly isContainer?: true
}

interface Records {
  readonly names: string[]
  readonly rows: (string | null)[][]
}
