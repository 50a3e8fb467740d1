import type { Place } from 'declared-options'
import { InvalidOptionError } from '../errors.js'

export const toError = (message: string): Error => new InvalidOptionError(message)

export const topLevel: Place = { option: '', allowInsecureHttp: false, toError }
