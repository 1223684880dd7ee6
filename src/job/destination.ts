/** Where a caller has finished files copied to: stored with the job, its credentials sealed. */

/** A bucket and a folder in it. Both destinations are plain data; `sealed` holds the credentials, readable only with FREIGHT_SECRET. */
export interface S3Destination {
  readonly kind: 's3'
  readonly bucket: string
  /** Without slashes at its ends; empty for the bucket's root. */
  readonly folder: string
  readonly region: string
  /** `https://host[:port]` of a server other than AWS; null: as the configuration says, else AWS. */
  readonly endpoint: string | null
  /** JSON of `S3Credentials`. */
  readonly sealed: string
}

export interface S3Credentials {
  readonly accessKey: string
  readonly secretKey: string
}

export interface SftpDestination {
  readonly kind: 'sftp'
  readonly host: string
  readonly port: number
  /** As the server is asked for it: from its root where it begins with a slash, else from the user's own folder. */
  readonly folder: string
  /** JSON of `SftpCredentials`. */
  readonly sealed: string
}

export interface SftpCredentials {
  readonly username: string
  readonly password: string | null
}

/** Where finished files are copied before their job is completed. */
export type Destination = S3Destination | SftpDestination
