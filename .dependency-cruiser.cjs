/**
 * The corridor's arrows as rules. Each says why it stands; `test/architecture.test.ts` plants a forbidden import
 * and sees it refused.
 */
const CONTRACTS = [
  'sources/source',
  'storage/storage',
  'store/store',
  'queue/queue',
  'formats/format',
  'compression/compression',
  'delivery/delivery',
  'exports/probe',
  'webhooks/webhook',
]
/** Rooms below the back ends, which know none of them. */
const TOOLS = { sources: ['duckdb'], formats: ['duckdb', 'zip'], compression: ['zip'] }
const contract = `^src/(${CONTRACTS.join('|')})\\.ts$`
const tests = '\\.test\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'job-imports-nothing',
      comment: 'The job is the vocabulary of every room; it knows none of them.',
      severity: 'error',
      from: { path: '^src/job/', pathNot: tests },
      to: { path: '^src/', pathNot: '^src/job/' },
    },
    ...['sources', 'formats', 'compression', 'storage', 'delivery', 'store', 'queue'].map((room) => ({
      name: `back-end-knows-its-contract-and-job (${room})`,
      comment: 'A back end is exchangeable because it knows only its own room and the job.',
      severity: 'error',
      from: { path: `^src/${room}/`, pathNot: tests },
      to: { path: '^src/', pathNot: `^src/(job|${[room, ...(TOOLS[room] ?? [])].join('|')})/` },
    })),
    {
      name: 'duckdb-knows-the-job-only',
      comment: 'The engine serves sources and formats and knows neither.',
      severity: 'error',
      from: { path: '^src/duckdb/', pathNot: tests },
      to: { path: '^src/', pathNot: '^src/(job|duckdb)/' },
    },
    {
      name: 'zip-knows-nothing',
      comment: 'A zip file is the same whoever writes it.',
      severity: 'error',
      from: { path: '^src/zip/', pathNot: tests },
      to: { path: '^src/', pathNot: '^src/zip/' },
    },
    {
      name: 'sources-are-strangers',
      comment: 'One kind of source never imports another; what they share stands beside the contract.',
      severity: 'error',
      from: { path: '^src/sources/([^/]+)/' },
      to: { path: '^src/sources/([^/]+)/', pathNot: '^src/sources/$1/' },
    },
    {
      name: 'compressions-are-strangers',
      comment: 'One compression never imports another; what they share stands beside the contract.',
      severity: 'error',
      from: { path: '^src/compression/(gzip|zstd)\\.ts$' },
      to: { path: '^src/compression/(gzip|zstd)\\.ts$' },
    },
    {
      name: 'only-service-and-parts-name-a-back-end',
      comment: 'Everyone else sees contracts, so that one machine or many are two lists of parts.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: `(^src/(service|parts|deliveries)\\.ts$|^src/(sources|formats|compression|storage|delivery|store|queue|duckdb)/|${tests})`,
      },
      to: { path: '^src/(sources|formats|compression|storage|delivery|store|queue|duckdb)/', pathNot: contract },
    },
    {
      name: 'callers-never-import-workers',
      comment: 'Callers and workers meet only in the store, the queue and the probe contract.',
      severity: 'error',
      from: { path: '^src/(exports|protocols|http)/', pathNot: tests },
      to: { path: '^src/worker/' },
    },
    {
      name: 'workers-never-import-callers',
      comment: 'Callers and workers meet only in the store, the queue and the probe contract.',
      severity: 'error',
      from: { path: '^src/worker/', pathNot: tests },
      to: { path: '^src/(exports|protocols|http)/', pathNot: contract },
    },
    {
      name: 'webhooks-know-no-protocol',
      comment: 'Notices come with their words from whoever made them; this room only carries them.',
      severity: 'error',
      from: { path: '^src/webhooks/', pathNot: tests },
      to: { path: '^src/', pathNot: '^src/(job/|webhooks/|store/store\\.ts$)' },
    },
    {
      name: 'only-the-service-sends',
      comment: 'Who tells webhooks of something writes it down with the change; nobody sends by himself.',
      severity: 'error',
      from: { path: '^src/', pathNot: `(^src/(service\\.ts$|webhooks/)|${tests})` },
      to: { path: '^src/webhooks/', pathNot: contract },
    },
    {
      name: 'protocols-are-strangers',
      comment: 'A protocol can be added or removed without reading another.',
      severity: 'error',
      from: { path: '^src/protocols/([^/]+)/' },
      to: { path: '^src/protocols/([^/]+)/', pathNot: '^src/protocols/$1/' },
    },
    {
      name: 'only-the-service-composes',
      comment: 'The command line and the embedding API reach the rooms through service.ts and one-shot.ts.',
      severity: 'error',
      from: { path: '^src/(cli/|index\\.ts$)', pathNot: tests },
      to: {
        path: '^src/',
        pathNot: '^src/(cli/|service\\.ts$|one-shot\\.ts$|config\\.ts$|config/(freight-config|resolved|environment)\\.ts$|job/)',
      },
    },
    {
      name: 'no-circles',
      comment: 'Files that import each other, if only for a type, cannot be read one after the other.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    { name: 'resolvable', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
