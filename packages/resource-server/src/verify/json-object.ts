import { Refusal } from '../errors.js'
import type { Claims } from './profiles.js'

/**
 * Reads a JSON object whose members have a name each (RFC 7515 §4, RFC 7519 §4): of two with the same name,
 * JavaScript would take the last, and whoever looked at the token before may have taken the first.
 * @param what names it in the refusal
 */
export function parseJsonObject(bytes: Buffer, what: string): Claims | Refusal {
  const text = bytes.toString('utf8')
  const value = parse(text)
  if (value === undefined) return new Refusal('malformed', `the ${what} is not JSON`)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Refusal('malformed', `the ${what} is not a JSON object`)
  if (countMembers(text) !== Object.keys(value).length)
    return new Refusal('malformed', `the ${what} has two members with one name`)
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

/** How many members the outermost object has, by its colons; the text is known to be JSON. */
function countMembers(text: string): number {
  const hasEscapes = text.includes('\\')
  let members = 0
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    if (character === quote) at = hasEscapes ? endOfString(text, at + 1) : text.indexOf('"', at + 1)
    else if (character === openObject || character === openList) depth += 1
    else if (character === closeObject || character === closeList) depth -= 1
    else if (character === colon && depth === 1) members += 1
  }
  return members
}

function endOfString(text: string, start: number): number {
  let at = start
  for (let character = text.charCodeAt(at); character !== quote; character = text.charCodeAt(at))
    at += character === backslash ? 2 : 1
  return at
}
