/**
 * A knowledge base: portals, topics in a tree, articles, and link tables between them. An article has one published version, one
 * unpublished one, or both.
 */

import { contentViews } from './content-views.ts'
import { createRandom, type Random, timestamp } from './random.ts'
import { sparse } from './shop-data.ts'
import { ACME_SHARE, type Cell, DAY_MS, LAST_DAY_MS, type SampleSubject, type Tenant } from './tables.ts'
import { SENTENCES, TOPICS } from './words.ts'

const PORTALS = 6
const TOPICS_PER_PORTAL = 20
const LANGUAGES = ['en-US', 'de-DE', 'fr-FR', 'ar-SA', 'ja-JA'] as const
const ARTICLE_TYPES = ['General', 'Troubleshooting', 'FAQ', 'Product Information'] as const

/** The first half and a little more of the portals belong to acme. */
function portalOwner(portal: number): Tenant {
  return portal <= Math.ceil(PORTALS * ACME_SHARE) ? 'acme' : 'globex'
}

export const knowledgeData: SampleSubject = {
  tables: [
    {
      name: 'portals',
      columns: `id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, alternate_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, description TEXT,
        department_id TEXT, default_language_code TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL`,
    },
    {
      name: 'topics',
      columns: `id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, alternate_id TEXT NOT NULL UNIQUE, portal_id INTEGER NOT NULL REFERENCES portals (id),
        parent_topic_id INTEGER REFERENCES topics (id), name TEXT NOT NULL, department_id TEXT, home_article_id INTEGER, child_count INTEGER NOT NULL,
        image_url TEXT, custom_attributes JSON, created_at TEXT NOT NULL, updated_at TEXT NOT NULL`,
      indexes: ['portal_id'],
    },
    {
      name: 'articles',
      columns: `id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, alternate_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, summary TEXT, article_type TEXT NOT NULL,
        category TEXT NOT NULL, language_code TEXT NOT NULL, department_id TEXT, keywords JSON, published_version INTEGER, published_content TEXT,
        published_at TEXT, unpublished_version INTEGER, unpublished_content TEXT, unpublished_modified_at TEXT, author TEXT, view_count INTEGER,
        average_rating REAL, custom_attributes JSON, expires_at TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL`,
    },
    {
      name: 'article_topics',
      columns: `article_id INTEGER NOT NULL REFERENCES articles (id), topic_id INTEGER NOT NULL REFERENCES topics (id), tenant_id TEXT NOT NULL,
        position INTEGER NOT NULL, PRIMARY KEY (article_id, topic_id)`,
      withoutRowid: true,
      indexes: ['topic_id'],
    },
    {
      name: 'article_portals',
      columns: `article_id INTEGER NOT NULL REFERENCES articles (id), portal_id INTEGER NOT NULL REFERENCES portals (id), tenant_id TEXT NOT NULL,
        PRIMARY KEY (article_id, portal_id)`,
      withoutRowid: true,
    },
  ],
  views: contentViews,
  fill(counts, insert) {
    const random = createRandom('knowledge')
    for (let portal = 1; portal <= PORTALS; portal++) {
      insert('portals', [
        portal,
        portalOwner(portal),
        `PROD-${999 + portal}`,
        `Help centre ${portal}`,
        random.pick(SENTENCES),
        departmentOf(portal),
        random.pick(LANGUAGES),
        ...stamps(random),
      ])
      for (let number = 0; number < TOPICS_PER_PORTAL; number++) insert('topics', topic(random, portal, number))
    }
    for (let id = 1; id <= counts.articles; id++) {
      const portal = random.between(1, PORTALS)
      const tenant = portalOwner(portal)
      insert('articles', article(random, id, portal))
      insert('article_portals', [id, portal, tenant])
      const first = random.between(0, TOPICS_PER_PORTAL - 1)
      for (let position = 0; position <= id % 3; position++) {
        insert('article_topics', [id, topicId(portal, (first + position * 7) % TOPICS_PER_PORTAL), tenant, position])
      }
    }
  },
}

function topicId(portal: number, number: number): number {
  return (portal - 1) * TOPICS_PER_PORTAL + number + 1
}

function departmentOf(portal: number): string {
  return `PROD-${9_000 + portal}`
}

function stamps(random: Random): [string, string] {
  const createdMs = LAST_DAY_MS - random.between(100, 1_000) * DAY_MS - random.between(0, DAY_MS)
  return [
    timestamp(createdMs, random.between(0, 999)),
    timestamp(createdMs + random.between(0, 90 * DAY_MS), random.between(0, 999)),
  ]
}

/** The first four of a portal are roots; the others hang below them. */
function topic(random: Random, portal: number, number: number): Cell[] {
  const id = topicId(portal, number)
  const childCount = number < 4 ? TOPICS_PER_PORTAL / 4 - 1 : 0
  return [
    id,
    portalOwner(portal),
    `PROD-${20_000 + id}`,
    portal,
    number < 4 ? null : topicId(portal, number % 4),
    `${random.pick(TOPICS)} ${number + 1}`,
    departmentOf(portal),
    random.chance(0.7) ? null : random.between(1, 2_000),
    childCount,
    sparse(random, () => `https://img.example.com/topics/${id}.png`, 0.5),
    random.chance(0.5) ? null : '{"colour":"#0a7","audience":["customers","partners"]}',
    ...stamps(random),
  ]
}

function article(random: Random, id: number, portal: number): Cell[] {
  const text = (): string =>
    `<p>${Array.from({ length: random.between(2, 8) }, () => random.pick(SENTENCES)).join('</p>\n<p>')}</p>`
  const isPublished = random.chance(0.9)
  const hasDraft = !isPublished || random.chance(0.2)
  const [created, updated] = stamps(random)
  return [
    id,
    portalOwner(portal),
    `PROD-${100_000 + id}`,
    `${random.pick(TOPICS)}: ${random.pick(SENTENCES)}`,
    sparse(random, () => random.pick(SENTENCES), 0.2),
    random.pick(ARTICLE_TYPES),
    random.chance(0.8) ? 'searchable' : 'browsable',
    random.pick(LANGUAGES),
    departmentOf(portal),
    random.chance(0.3) ? null : JSON.stringify([random.pick(TOPICS), random.pick(TOPICS)]),
    isPublished ? random.between(1, 9) : null,
    isPublished ? text() : null,
    isPublished ? updated : null,
    hasDraft ? random.between(10, 12) : null,
    hasDraft ? text() : null,
    hasDraft ? updated : null,
    random.pick(['h.ward', 'p.zając', 'layla']),
    random.between(0, 50_000),
    random.chance(0.3) ? null : random.between(10, 50) / 10,
    random.chance(0.6) ? null : '{"region":["EMEA","APAC"],"reviewed":true,"score":0.10}',
    random.chance(0.9) ? null : timestamp(LAST_DAY_MS + random.between(1, 300) * DAY_MS, 0),
    created,
    updated,
  ]
}
