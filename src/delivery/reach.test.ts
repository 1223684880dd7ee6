import type { LookupAddress } from 'node:dns'
import { describe, expect, it } from 'vitest'
import { createReach, type Reach } from './reach.ts'

const open = createReach({ hosts: null, networks: [] })

function refused(reach: Reach, host: string): boolean {
  try {
    reach.assertHost(host)
    return false
  } catch {
    return true
  }
}

function looked(reach: Reach, host: string): Promise<LookupAddress[] | string> {
  return new Promise((resolve) => {
    reach.lookup(host, { all: true }, (error, addresses) => resolve(error ? error.message : (addresses as LookupAddress[])))
  })
}

describe('which addresses may be reached', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.31.0.1',
    '192.168.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    '2001:0:7f00:1::',
    '2002:7f00:1::',
    '2001:db8::1',
  ])('not %s', (address) => expect(refused(open, address)).toBe(true))

  it.each(['1.1.1.1', '100.128.0.1', '172.32.0.1', '169.253.0.1', '2606:4700::1111', '::ffff:1.1.1.1', 'sftp.example.com'])(
    '%s',
    (address) => expect(refused(open, address)).toBe(false),
  )

  it.each(['localhost', 'LOCALHOST.', 'sftp.localhost', '127.1', '2130706433', '0x7f.1', '017700000001'])(
    'not what %s leads to',
    async (host) => expect(await looked(open, host)).toBe('its address is not a public one'),
  )

  it('networks inside that the configuration names', async () => {
    const reach = createReach({ hosts: null, networks: ['10.20.0.0/16', '127.0.0.1', 'fd00::/8'] })
    for (const address of ['10.20.255.1', '127.0.0.1', '::ffff:10.20.0.1', 'fd12::1']) expect(refused(reach, address)).toBe(false)
    for (const address of ['10.21.0.1', '127.0.0.2', 'fe80::1']) expect(refused(reach, address)).toBe(true)
    expect(await looked(reach, 'sftp.localhost')).toEqual([{ address: '127.0.0.1', family: 4 }])
  })
})

describe('which names may be reached', () => {
  const reach = createReach({ hosts: ['sftp.example.com', '*.Amazonaws.com', '8.8.8.8'], networks: ['127.0.0.1'] })

  it.each(['sftp.example.com', 'SFTP.Example.COM.', 'b.s3.eu-west-1.amazonaws.com', '8.8.8.8'])('%s', (host) =>
    expect(refused(reach, host)).toBe(false),
  )

  it.each([
    'example.com',
    'a.sftp.example.com',
    'amazonaws.com',
    'evilamazonaws.com',
    'amazonaws.com.evil.net',
    '1.1.1.1',
    '127.0.0.1',
  ])('not %s', async (host) => {
    expect(refused(reach, host)).toBe(true)
    expect(await looked(reach, host)).toBe('this server may not deliver to that host')
  })
})
