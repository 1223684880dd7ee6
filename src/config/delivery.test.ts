import { describe, expect, it } from 'vitest'
import { resolveConfig } from '../config.ts'
import type { FreightConfig } from './freight-config.ts'

const resolved = (delivery: unknown) =>
  resolveConfig({ source: 'sqlite:a.db', resources: { a: { tenant: 'shared' } }, delivery } as FreightConfig, '/tmp', {}).delivery

describe('the delivery section', () => {
  it('allows every public host unless it says otherwise', () => {
    expect(resolved(undefined)).toEqual({ hosts: null, networks: [], s3Endpoint: null, hostKeys: {} })
    const written = {
      hosts: ['*.amazonaws.com', 'sftp.example.com', '192.0.2.1'],
      networks: ['10.20.0.0/16', '127.0.0.1', 'fd00::/8'],
      s3Endpoint: 'https://minio.example.com:9000',
      hostKeys: { 'sftp.example.com': `SHA256:${'a'.repeat(43)}` },
    }
    expect(resolved(written)).toEqual(written)
  })

  it.each<[unknown, string]>([
    [[], 'delivery: must be an object, not a list.'],
    [{ host: [] }, 'delivery: there is no setting "host". Did you mean "hosts"?'],
    [{ hosts: 'a.b' }, 'delivery.hosts: must be a list of names, not text.'],
    [{ hosts: ['https://a.b'] }, 'delivery.hosts.0: must be a host name'],
    [{ hosts: ['*'] }, 'delivery.hosts.0: must be a host name'],
    [{ networks: ['10.0.0.0/33'] }, 'delivery.networks.0: must be an address or a network'],
    [{ networks: ['ten'] }, 'delivery.networks.0: must be an address or a network'],
    [{ networks: ['10.0.0.0/8/8'] }, 'delivery.networks.0: must be an address or a network'],
    [{ s3Endpoint: 'minio:9000' }, 'delivery.s3Endpoint: must be an http or https address'],
    [{ s3Endpoint: 'https://a.b/c' }, 'delivery.s3Endpoint: must be an http or https address'],
    [{ hostKeys: { a: 'MD5:1' } }, 'delivery.hostKeys.a: must be "SHA256:"'],
  ])('%j is refused at its place', (written, message) => {
    expect(() => resolved(written)).toThrow(message)
  })
})
