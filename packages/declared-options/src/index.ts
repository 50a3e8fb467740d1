export { contain } from './contain.js'
export {
  ownOptions,
  parseOptions,
  readOptions,
  takeOptions,
  type Context,
  type Declaration,
  type Declares,
  type Given,
  type Parsed,
} from './declaration.js'
export { optional, parser, withDefault, type Parser, type ParserParts } from './parser.js'
export type { Place } from './place.js'
export { boolean, callback, clock, instance } from './parsers/code.js'
export { dispatcher } from './parsers/dispatcher.js'
export { listOf, object, oneOrMore, shorthand } from './parsers/nested.js'
export { count, fraction, milliseconds } from './parsers/number.js'
export { oneOf, strings, text } from './parsers/text.js'
export { pem, secret } from './parsers/secret.js'
export { isTrustworthyUrl, url } from './parsers/url.js'
export { isIoredis, isNodeRedis, redisConnection, redisText } from './redis.js'
export { invalid, isObject, isPlainObject, kindOf, show } from './show.js'
export { suggest } from './suggest.js'
