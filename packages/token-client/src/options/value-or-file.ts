import { readFile } from 'node:fs/promises'
import { InvalidOptionError } from '../errors.js'
import type { Checked } from './options.js'

/** An option, or a function that reads the file in which its value is: whoever replaces the file need tell nobody. */
export function valueOrFile<Name extends 'certificate' | 'privateKey' | 'clientAssertion'>(
  given: Checked,
  name: Name,
): Checked[Name] | (() => Promise<string>) {
  const value = given[name]
  const file = given[`${name}File`]
  if (file === undefined) return value
  if (value === undefined) return () => readFile(file, 'utf8')
  throw new InvalidOptionError(`options \`${name}\` and \`${name}File\` exclude each other; give one of them`)
}
