/** What `freight serve --demo` offers: every table of the sample database, each tenant its own rows. */
import type { FreightConfig, ResourceConfig } from '../../config.ts'

/** SQLite declares these columns as text. */
const STAMPS = { created_at: 'timestamp', updated_at: 'timestamp' } as const

/** All sample tables say in `tenant_id` whose row it is. */
function owned(rest: Omit<ResourceConfig, 'tenant'> = {}): ResourceConfig {
  return { tenant: 'tenant_id', types: STAMPS, ...rest }
}

export function demoConfig(samplePath: string): FreightConfig {
  return {
    source: `sqlite:${samplePath}`,
    resources: {
      customers: owned({ hide: ['password_hash'], types: { ...STAMPS, credit_limit: 'decimal' } }),
      skus: owned(),
      prices: owned(),
      orders: owned({ types: { ...STAMPS, placed_at: 'timestamp', exchange_rate: 'decimal' } }),
      line_items: owned(),
      clients: owned(),
      portals: owned(),
      topics: owned(),
      articles: owned({
        types: { ...STAMPS, published_at: 'timestamp', unpublished_modified_at: 'timestamp', expires_at: 'timestamp' },
      }),
      article_topics: owned({ types: {} }),
      article_portals: owned({ types: {} }),
      messages: owned({ types: { ...STAMPS, next_attempt_at: 'timestamp', delivered_at: 'timestamp' } }),
    },
    protocols: {
      'v1-exports': {
        resource: 'messages',
        projects: { acme: 'proj_acme01', globex: 'proj_globex01' },
        endpoints: { resource: 'messages', field: 'endpoint_id' },
      },
      'clients-export': { resource: 'clients' },
    },
  }
}
