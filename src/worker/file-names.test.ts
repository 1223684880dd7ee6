import { expect, it } from 'vitest'
import { fileNames } from './file-names.ts'

const day = new Date('2026-11-22T23:59:59Z')

it('a file is named after its resource and the day it was asked for', () => {
  expect(fileNames([{ resource: 'orders' }], 'csv.gz', day)).toEqual(['orders-2026-11-22.csv.gz'])
})

it('a resource that occurs twice is numbered, and odd characters are replaced', () => {
  expect(fileNames([{ resource: 'a/b' }, { resource: 'a/b' }, { resource: '..' }], 'json', day)).toEqual([
    'a_b-2026-11-22.json',
    'a_b-2026-11-22-2.json',
    'export-2026-11-22.json',
  ])
})
