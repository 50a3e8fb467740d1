import { isUtf8 } from 'node:buffer'
import { Refusal } from '../errors.js'
import type { Claims } from '../claims/profiles.js'

/**
 * Reads a JSON object in UTF-8 whose members have a name each (RFC 7515 §4, RFC 7519 §4): of two with the same name,
 * JavaScript would take the last, and whoever looked at the token before may have taken the first.
 * @param what names it in the refusal
 */
export function parseJsonObject(bytes: Buffer, what: string): Claims | Refusal {
  const text = bytes.toString('utf8')
  // What is no UTF-8 comes out as U+FFFD, which a text seldom has: most are not looked at twice.
  if (text.includes('\uFFFD') && !isUtf8(bytes)) return new Refusal('malformed', `the ${what} is not UTF-8`)
  const value = parse(text)
  if (value === undefined) return new Refusal('malformed', `the ${what} is not JSON`)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Refusal('malformed', `the ${what} is not a JSON object`)
  if (countMembers(bytes) !== Object.keys(value).length)
    return new Refusal('malformed', `the ${what} has two members with one name`, { kind: 'duplicate member' })
  return value as Claims
}

/** Undefined, which no JSON stands for, where it is none. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a]
const [openObject, openList, closeObject, closeList] = [0x7b, 0x5b, 0x7d, 0x5d]

/** How many members the outermost object has, by its colons; the bytes are known to be JSON in UTF-8. */
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
