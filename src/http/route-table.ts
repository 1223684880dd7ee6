/** The routes as they were registered, for the answers about addresses and methods that none of them serves. */
import type { FastifyInstance } from 'fastify'

export class RouteTable {
  readonly #methods = new Map<string, Set<string>>()

  /** Must be called before the routes are registered. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', ({ method, url }) => {
      const known = this.#methods.get(url) ?? new Set()
      for (const each of [method].flat()) known.add(each)
      this.#methods.set(url, known)
    })
  }

  /** `GET /exports/:id` and so on, in the order of registering. */
  get all(): readonly string[] {
    return [...this.#methods].flatMap(([url, methods]) => [...methods].map((method) => `${method} ${url}`))
  }

  /** The methods of a path (without query), in alphabetical order; none where the path is unknown. */
  allowed(path: string): readonly string[] {
    const segments = path.split('/')
    const found = new Set<string>()
    for (const [pattern, methods] of this.#methods) {
      if (matches(pattern.split('/'), segments)) for (const method of methods) found.add(method)
    }
    if (found.size > 0) found.add('OPTIONS')
    return [...found].sort()
  }
}

/** `:name` stands for one segment, `*` for the rest: the only forms in use. */
function matches(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.at(-1) === '*')
    return path.length >= pattern.length && matches(pattern.slice(0, -1), path.slice(0, pattern.length - 1))
  return (
    pattern.length === path.length &&
    pattern.every((segment, index) => (segment.startsWith(':') ? path[index] !== '' : segment === path[index]))
  )
}
