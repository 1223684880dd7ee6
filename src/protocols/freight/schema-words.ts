/**
 * What the schemas of Freight's own API are made of. A field that may be null is a type pair and a closed list is an enum, because unions
 * make unreadable errors.
 */
import Type, { type TSchema } from 'typebox'

export type Words = { description: string; [keyword: string]: unknown }

export const closed = { additionalProperties: false } as const
export const nullableText = (words: Words) => Type.Unsafe<string | null>({ type: ['string', 'null'], ...words })
export const nullableFlag = (words: Words) => Type.Unsafe<boolean | null>({ type: ['boolean', 'null'], ...words })
export const nullableInteger = (words: Words) => Type.Unsafe<number | null>({ type: ['integer', 'null'], ...words })
export const nullableNumber = (words: Words) => Type.Unsafe<number | null>({ type: ['number', 'null'], ...words })
export const time = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time', description })
export const plainObject = (words: Words) => Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', ...words })
/** For answers only, which nothing is refused by. */
export const nullable = (schema: TSchema) => Type.Unsafe<unknown>({ anyOf: [schema, { type: 'null' }] })
