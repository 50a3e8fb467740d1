import { object, optional, parser, type Declaration, type Parser } from 'declared-options'
import { interceptorNames, type InterceptorOptions } from '../call/interceptors.js'

const one = optional(
  parser({
    expected: 'true, or the options of undici',
    read: value =>
      typeof value === 'boolean' || (typeof value === 'object' && value !== null) ? value : undefined,
  }),
)
const declaration: Declaration = Object.fromEntries(interceptorNames.map(name => [name, one]))

// undici checks the options of its interceptors.
export const interceptorsOption: Parser<InterceptorOptions> = object(
  declaration,
  'an object such as { retry: true }',
) as Parser<InterceptorOptions>
