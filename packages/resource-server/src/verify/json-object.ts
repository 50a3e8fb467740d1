import { isUtf8 } from 'node:buffer'
import { Refusal } from '../errors.js'
import type { Claims } from '../claims/profiles.js'

/**
 * Parses a UTF-8 JSON object. Objects with duplicate member names are refused, because different JSON parsers would use
 * different values (RFC 7515 §4, RFC 7519 §4).
 * @param what the name of the object in refusals, such as `header`
 */
export function parseJsonObject(bytes: Buffer, what: string): Claims | Refusal {
  const text = bytes.toString('utf8')
  // Node.js decodes invalid UTF-8 as U+FFFD, so the bytes need to be validated only if the text contains that character.
  if (text.includes('\uFFFD') && !isUtf8(bytes))
    return new Refusal('malformed', `the ${what} is not valid UTF-8`)
  const value = parse(text)
  if (value === undefined) return new Refusal('malformed', `the ${what} is not valid JSON`)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Refusal('malformed', `the ${what} is not a JSON object`)
  if (countMembers(bytes) !== Object.keys(value).length)
    return new Refusal('malformed', `the ${what} has two members with the same name`, {
      kind: 'duplicate member',
    })
  return value as Claims
}

/** Parses JSON. Returns undefined if the text is not valid JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a]
const [openObject, openList, closeObject, closeList] = [0x7b, 0x5b, 0x7d, 0x5d]

/** Counts the members of the outermost object by counting its colons. The bytes must be valid UTF-8 JSON. */
function countMembers(bytes: Buffer): number {
  let members = 0
  let depth = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const character = bytes[at]
    if (character === quote) at = endOfString(bytes, at + 1)
    else if (character === openObject || character === openList) depth += 1
    else if (character === closeObject || character === closeList) depth -= 1
    else if (character === colon && depth === 1) members += 1
  }
  return members
}

function endOfString(bytes: Buffer, start: number): number {
  let at = start
  for (let character = bytes[at]; character !== quote; character = bytes[at])
    at += character === backslash ? 2 : 1
  return at
}
