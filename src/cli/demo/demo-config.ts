/** What `freight serve --demo` offers: every table of the sample database, each tenant its own rows. */
import type { FreightConfig, ResourceConfig } from '../../config/freight-config.ts'
import { CONTENT_ARTICLE_FIELDS, CONTENT_PORTAL_FIELDS, CONTENT_TOPIC_FIELDS } from './content-views.ts'

/** SQLite declares these columns as text. */
const STAMPS = { created_at: 'timestamp', updated_at: 'timestamp' } as const

/** All sample tables say in `tenant_id` whose row it is. */
function owned(rest: Omit<ResourceConfig, 'tenant'> = {}): ResourceConfig {
  return { tenant: 'tenant_id', types: STAMPS, ...rest }
}

/** What the views give that SQLite has no type for. */
const CONTENT_ARTICLE = {
  articleType: 'json',
  availableEditions: 'json',
  averageRating: 'float',
  createdBy: 'json',
  customAttributes: 'json',
  availabilityDate: 'timestamp',
  createdDate: 'timestamp',
  modifiedDate: 'timestamp',
  expirationDate: 'timestamp',
} as const

function contentArticles(resource: string) {
  const searchable = { category_eq: 'searchable' }
  return { resource, portal: 'portalId', language: 'languageCode', searchable, fields: CONTENT_ARTICLE_FIELDS }
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
      content_portals: owned({ types: {} }),
      content_topics: owned({
        types: { modifiedDate: 'timestamp', childCount: 'integer', subTopicIds: 'json', customAttributes: 'json' },
      }),
      content_articles: owned({ types: CONTENT_ARTICLE }),
      content_drafts: owned({ types: CONTENT_ARTICLE }),
      messages: owned({ types: { ...STAMPS, next_attempt_at: 'timestamp', delivered_at: 'timestamp' } }),
    },
    protocols: {
      'v1-exports': {
        resource: 'messages',
        projects: { acme: 'proj_acme01', globex: 'proj_globex01' },
        endpoints: { resource: 'messages', field: 'endpoint_id' },
      },
      'clients-export': { resource: 'clients' },
      'content-export': {
        portals: { resource: 'content_portals', portal: 'id', fields: CONTENT_PORTAL_FIELDS },
        topics: { resource: 'content_topics', portal: 'portalId', fields: CONTENT_TOPIC_FIELDS },
        articles: contentArticles('content_articles'),
        unpublishedArticles: contentArticles('content_drafts'),
      },
      'api-exports': {
        resources: { customers: 'customers', skus: 'skus', prices: 'prices', orders: 'orders', line_items: 'line_items' },
      },
    },
  }
}
