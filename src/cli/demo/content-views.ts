/**
 * The knowledge base as content-export writes it: one view for each of its types, with the attributes under the names that its clients read.
 * A team does the same over its own tables where a renamed column is not enough.
 */
import type { SampleView } from './tables.ts'

export const CONTENT_PORTAL_FIELDS = ['id', 'alternateId', 'name', 'description', 'departmentId', 'defaultContentLanguageId']

export const CONTENT_TOPIC_FIELDS = [
  'id',
  'alternateId',
  'name',
  'departmentId',
  'modifiedDate',
  'topicHomeArticleId',
  'childCount',
  'subTopicIds',
  'parentTopicId',
  'imageURL',
  'customAttributes',
]

export const CONTENT_ARTICLE_FIELDS = [
  'id',
  'alternateId',
  'name',
  'articleType',
  'articleKeywords',
  'articleSummary',
  'articleState',
  'availabilityDate',
  'availableEditions',
  'averageRating',
  'content',
  'createdBy',
  'createdDate',
  'customAttributes',
  'departmentID',
  'expirationDate',
  'languageCode',
  'modifiedDate',
  'versionId',
]

const portals = `SELECT alternate_id AS id, CAST(id AS TEXT) AS "alternateId", name, description, department_id AS "departmentId",
  default_language_code AS "defaultContentLanguageId", tenant_id FROM portals`

/** Subtopics of every level; a root's parent is -1. */
const topics = `SELECT t.alternate_id AS id, CAST(t.id AS TEXT) AS "alternateId", t.name, t.department_id AS "departmentId",
  t.updated_at AS "modifiedDate", (SELECT alternate_id FROM articles WHERE id = t.home_article_id) AS "topicHomeArticleId",
  t.child_count AS "childCount",
  (WITH RECURSIVE below (id, alternate_id) AS (
      SELECT id, alternate_id FROM topics WHERE parent_topic_id = t.id
      UNION ALL SELECT c.id, c.alternate_id FROM topics c JOIN below b ON c.parent_topic_id = b.id)
    SELECT json_group_array(alternate_id) FROM below) AS "subTopicIds",
  coalesce((SELECT alternate_id FROM topics WHERE id = t.parent_topic_id), '-1') AS "parentTopicId",
  t.image_url AS "imageURL", t.custom_attributes AS "customAttributes", p.alternate_id AS "portalId", t.tenant_id
  FROM topics t JOIN portals p ON p.id = t.portal_id`

/** One version of each article that has one, once for each portal it is in. */
function articles(version: 'published' | 'unpublished', state: string, modified: string): string {
  return `SELECT a.alternate_id AS id, CAST(a.id AS TEXT) AS "alternateId", a.name, json_object('name', a.article_type) AS "articleType",
  (SELECT group_concat(value, ', ') FROM json_each(a.keywords)) AS "articleKeywords", a.summary AS "articleSummary",
  '${state}' AS "articleState", a.${modified} AS "availabilityDate",
  json_array(json_object('id', a.alternate_id || '-' || a.${version}_version, 'name', a.name)) AS "availableEditions",
  a.average_rating AS "averageRating", a.${version}_content AS content, json_object('name', a.author) AS "createdBy",
  a.created_at AS "createdDate", a.custom_attributes AS "customAttributes", a.department_id AS "departmentID",
  a.expires_at AS "expirationDate", a.language_code AS "languageCode", a.${modified} AS "modifiedDate",
  CAST(a.${version}_version AS TEXT) AS "versionId", a.category, p.alternate_id AS "portalId", a.tenant_id
  FROM articles a JOIN article_portals l ON l.article_id = a.id JOIN portals p ON p.id = l.portal_id
  WHERE a.${version}_version IS NOT NULL`
}

export const contentViews: readonly SampleView[] = [
  { name: 'content_portals', select: portals },
  { name: 'content_topics', select: topics },
  { name: 'content_articles', select: articles('published', 'Published', 'published_at') },
  { name: 'content_drafts', select: articles('unpublished', 'Draft', 'unpublished_modified_at') },
]
