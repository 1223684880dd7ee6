/** Signs download links and standing links, and tells what a link that comes back leads to. */

/** What a link leads to. `index` counts from 1, as the manifest lists the files; `zip` is all of them in one archive. */
export interface LinkedFile {
  readonly jobId: string
  readonly run: number
  readonly index: number | 'zip'
  readonly name: string
  /** Who asked for it: for the record of the download, and so that it ends with their key. Absent: nobody in particular. */
  readonly by?: string
}

/** What a standing link leads to: the file that this run of the job wrote, or the archive of its files. `by`: who was given it; it ends with their key. */
export interface LinkedRun {
  readonly jobId: string
  readonly run: number
  readonly by: string
}

export interface StandingLinkSigner {
  /** Path and query, for example `/links/0199.../1?expires=1769860800&by=...&signature=...`. For the same run, end and caller always the same. */
  mintStanding(linked: LinkedRun, until: Date): string
  /**
   * `rawPathAndQuery` as it came over the wire. Throws LINK_INVALID for every spelling but the one that was minted, for a wrong
   * signature, and from the second on that `expires` names.
   */
  verifyStanding(rawPathAndQuery: string, now: Date): LinkedRun
}

export interface LinkSigner extends StandingLinkSigner {
  /**
   * Path and query, for example `/downloads/0199.../1/1/orders-2026-01-31.csv?expires=1769860800&signature=...`. `lifetimeMs`: instead of
   * the usual one.
   */
  mint(file: LinkedFile, now: Date, lifetimeMs?: number): string
  /**
   * `rawPathAndQuery` as it came over the wire, not decoded: it must equal byte for byte what `mint` wrote. Throws LINK_INVALID for
   * every other spelling, a wrong signature, and from the second on that `expires` names.
   */
  verify(rawPathAndQuery: string, now: Date): LinkedFile
}
