import { describe, expect, it } from 'vitest'
import { createSealer } from '../access/sealed.ts'
import { type DestinationRequest, type Destinations, sealDestination } from './destination.ts'

const sealer = createSealer(['k3Yq9-Zr7Lw2_Xv5Bn8-k3Yq9-Zr7Lw2'], 'destination')
const destinations: Destinations = {
  sealer,
  refusal: (host) => (host.includes('inside') ? 'its address is not a public one' : null),
}

const bucket: DestinationRequest = {
  kind: 's3',
  bucket: 'exports',
  folder: 'a/b',
  region: 'eu-west-1',
  endpoint: null,
  credentials: { accessKey: 'AKIACANARY', secretKey: 'canary' },
}
const server: DestinationRequest = {
  kind: 'sftp',
  host: 'sftp.example.com',
  port: 22,
  folder: '/in',
  credentials: { username: 'canary', password: 'canary' },
}

describe('a destination', () => {
  it.each([bucket, server])('is kept without its credentials, which are sealed beside it', (asked) => {
    const { sealed, ...kept } = sealDestination(asked, destinations)
    const { credentials, ...place } = asked
    expect(kept).toEqual(place)
    expect(JSON.stringify({ sealed, ...kept })).not.toMatch(/canary/i)
    expect(JSON.parse(sealer.open(sealed))).toEqual(credentials)
  })

  it('may have no password, an address for a host, and an endpoint', () => {
    sealDestination({ ...server, host: '198.51.100.7', credentials: { username: 'u', password: null } }, destinations)
    sealDestination({ ...server, host: '2606:4700::1111' }, destinations)
    sealDestination({ ...bucket, endpoint: 'https://minio.example.com:9000' }, destinations)
  })

  it.each<[string, DestinationRequest]>([
    ['folder', { ...bucket, folder: '../up' }],
    ['folder', { ...bucket, folder: 'a/./b' }],
    ['folder', { ...bucket, folder: 'a\\b' }],
    ['folder', { ...server, folder: 'a\nb' }],
    ['folder', { ...server, folder: 'x'.repeat(1_025) }],
    ['bucket', { ...bucket, bucket: 'A' }],
    ['bucket', { ...bucket, bucket: 'a..b' }],
    ['bucket', { ...bucket, bucket: 'a/b' }],
    ['bucket', { ...bucket, bucket: 'arn:aws:s3:eu-west-1:1:accesspoint/x' }],
    ['region', { ...bucket, region: 'x.evil.net/#' }],
    ['region', { ...bucket, region: '' }],
    ['endpoint', { ...bucket, endpoint: 'file:///etc' }],
    ['endpoint', { ...bucket, endpoint: 'https://user:pw@minio.example.com' }],
    ['endpoint', { ...bucket, endpoint: 'https://minio.example.com/path' }],
    ['endpoint', { ...bucket, endpoint: 'http://inside.example.com' }],
    ['host', { ...server, host: 'inside.example.com' }],
    ['host', { ...server, host: 'a b' }],
    ['host', { ...server, host: 'a/b' }],
    ['host', { ...server, host: '' }],
    ['port', { ...server, port: 0 }],
    ['port', { ...server, port: 65_536 }],
    ['port', { ...server, port: 22.5 }],
    ['credentials/secretKey', { ...bucket, credentials: { accessKey: 'a', secretKey: '' } }],
    ['credentials/accessKey', { ...bucket, credentials: { accessKey: 'a\r\nb', secretKey: 'b' } }],
    ['credentials/password', { ...server, credentials: { username: 'u', password: 'x'.repeat(129) } }],
  ])('is refused for its %s', (member, asked) => {
    expect(() => sealDestination(asked, destinations)).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED', details: { pointer: `/destination/${member}` } }),
    )
  })
})
