/** The two ids of a job. */
import { randomInt } from 'node:crypto'
import { v7 } from 'uuid'

/** A UUIDv7: grows within this process even inside one millisecond, so the order of ids is the order of creation. */
export function newJobId(): string {
  return v7()
}

const BASE_62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SHORT_ID_LENGTH = 10

/** 10 random base-62 characters: of a million jobs two are equal with a chance of 6 in 10 million, and the store refuses the second. */
export function newShortId(): string {
  return Array.from({ length: SHORT_ID_LENGTH }, () => BASE_62[randomInt(BASE_62.length)]).join('')
}

/** Of a short id; anything else names no export and needs no look into the store. */
export function isShortId(text: string): boolean {
  return /^[0-9A-Za-z]{10}$/.test(text)
}

const JOB_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** In the one spelling that ids are given out in; anything else names no export and needs no look into the store. */
export function isJobId(text: string): boolean {
  return JOB_ID.test(text)
}
