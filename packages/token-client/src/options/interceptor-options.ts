import { interceptorNames, type InterceptorOptions } from '../call/interceptors.js'
import { InvalidOptionError } from '../errors.js'
import { wrong, type Given } from './read-option.js'

export function parseInterceptors({ interceptors = {} }: Given): InterceptorOptions {
  if (typeof interceptors !== 'object' || interceptors === null)
    throw wrong('interceptors', interceptors, 'an object such as { retry: true }')
  for (const [name, value] of Object.entries(interceptors)) {
    if (!(interceptorNames as readonly string[]).includes(name))
      throw new InvalidOptionError(
        `option \`interceptors\` has no \`${name}\`; it knows ${interceptorNames.join(', ')}`,
      )
    if (typeof value !== 'boolean' && (typeof value !== 'object' || value === null))
      throw wrong(`interceptors.${name}`, value, 'true, or the options of undici')
  }
  return interceptors
}
