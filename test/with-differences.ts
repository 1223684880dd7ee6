/** A real object of ours with some of its methods replaced, for tests of what happens when one of them fails. */
export function withDifferences<Target extends object>(target: Target, differences: Partial<Target>): Target {
  return new Proxy(target, {
    get(real, name) {
      if (Object.hasOwn(differences, name)) return Reflect.get(differences, name)
      const value: unknown = Reflect.get(real, name)
      return typeof value === 'function' ? value.bind(real) : value
    },
  })
}
