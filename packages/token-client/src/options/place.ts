import type { Place } from 'declared-options'
import { InvalidOptionError } from '../errors.js'

export const toError = (message: string): Error => new InvalidOptionError(message)

/** Where the client's own options are. */
export const topLevel: Place = { option: '', allowInsecureHttp: false, toError }
