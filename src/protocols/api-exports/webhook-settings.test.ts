import { expect, it } from 'vitest'
import { resolveConfig } from '../../config.ts'

const SECRET = 'a canary: secret'
const good = { url: 'https://crm.example/told', sharedSecret: SECRET }

function refusal(webhook: unknown, name = 'crm'): string {
  const section = { resources: { orders: 'orders' }, webhooks: { [name]: webhook } }
  const config = { source: 'sqlite:a.db', resources: { orders: { tenant: 'shared' } }, protocols: { 'api-exports': section } }
  try {
    resolveConfig(config as never, '/tmp', {})
  } catch (error) {
    return String(error)
  }
  return 'taken'
}

it.each([
  'https://crm.example',
  'http://127.0.0.1:9000/a?b',
  'http://localhost/',
  'http://[::1]:1/',
  'HTTPS://crm.example:8443/told',
])('%s may be told', (url) => {
  expect(refusal({ ...good, url })).toBe('taken')
})

it.each([
  'http://crm.example/canary-address',
  'http://10.0.0.1/',
  'http://localhost./',
  'http://127.0.0.2/',
  'https://user:canary@crm.example/',
  'https://crm.example/#canary',
  'ftp://crm.example/',
  'file:///etc/passwd',
  '//crm.example/',
  'crm.example',
  `https://crm.example/${'a'.repeat(2_000)}`,
])('%s may not, and is not repeated', (url) => {
  const said = refusal({ ...good, url })
  expect(said).toContain('protocols.api-exports.webhooks.crm.url: must be an https address')
  expect(said).not.toContain('canary')
})

it.each<[unknown, string]>([
  [{ ...good, sharedSecret: '' }, 'crm.sharedSecret: must not be empty.'],
  [{ ...good, sharedSecret: 'canary' }, 'crm.sharedSecret: must have at least 16 characters'],
  [{ url: good.url }, 'crm.sharedSecret: must be text, not nothing.'],
  [{ ...good, topics: [] }, 'crm.topics: must name at least one topic'],
  [
    { ...good, topics: ['exports.completed'] },
    'crm.topics.0: there is no topic "exports.completed". Did you mean "exports.complete"?',
  ],
  [{ ...good, tenant: '' }, 'crm.tenant: must not be empty.'],
  [{ ...good, secret: SECRET }, 'crm: there is no setting "secret".'],
  [[good], 'crm: must be an object, not a list.'],
])('%j is refused with its place', (webhook, message) => {
  const said = refusal(webhook)
  expect(said).toContain(`protocols.api-exports.webhooks.${message}`)
  expect(said).not.toContain('canary')
})

it('a name is a word that a log can hold', () => {
  expect(refusal(good, 'a b')).toContain('must be a name of letters')
})
