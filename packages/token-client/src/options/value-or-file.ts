import { readFile } from 'node:fs/promises'
import { InvalidOptionError } from '../errors.js'
import type { Checked } from './options.js'

/**
 * Returns the value of an option, or a function that reads the value from a file each time, because the file may
 * change.
 */
export function valueOrFile<Name extends 'certificate' | 'privateKey' | 'clientAssertion'>(
  given: Checked,
  name: Name,
): Checked[Name] | (() => Promise<string>) {
  const value = given[name]
  const file = given[`${name}File`]
  if (file === undefined) return value
  if (value === undefined) return () => readFile(file, 'utf8')
  throw new InvalidOptionError(`options \`${name}\` and \`${name}File\` cannot be combined; use one of them`)
}
