/** What is wrong with a request, in this wire's own codes and words; `errors.ts` gives it its form. */
import { FreightError } from '../../job/errors.ts'

/** The documented codes, each with the HTTP status in front. */
export type WireCode =
  | '400-101'
  | '400-112'
  | '400-152'
  | '400-196'
  | '401-101'
  | '401-104'
  | '403-178'
  | '403-197'
  | '404-100'
  | '404-101'
  | '406-100'
  | '500-100'

export interface WireDetail {
  readonly key: string
  readonly value?: string
}

export class WireFault extends FreightError {
  readonly wireCode: WireCode
  readonly wireDetails: readonly WireDetail[]

  constructor(wireCode: WireCode, message: string, details: readonly WireDetail[] = []) {
    super(wireCode.startsWith('404') ? 'NOT_FOUND' : wireCode.startsWith('403') ? 'FORBIDDEN' : 'VALIDATION_FAILED', message)
    this.wireCode = wireCode
    this.wireDetails = details
  }
}

export function missing(parameter: string): WireFault {
  return new WireFault('400-112', `Required parameter is missing. The following parameters are required: ${parameter}`, [
    { key: parameter },
  ])
}

export function notOneOf(attribute: string, allowed: readonly string[]): WireFault {
  return new WireFault('400-196', `Invalid value of attribute ${attribute}, expected values are: [${allowed.join(', ')}].`, [
    { key: attribute },
  ])
}

/** `reason` says what would fit, for the person who reads the details. */
export function invalidValue(attribute: string, reason: string): WireFault {
  const message = `Invalid value is provided in the request body for the following attribute:'${attribute}'.`
  return new WireFault('400-152', message, [{ key: attribute, value: reason }])
}
