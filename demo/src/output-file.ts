import { existsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'

/**
 * Checks that a file can be written, without changing the file.
 * @throws {Error} naming the file and the reason
 */
export async function checkWritable(file: string): Promise<void> {
  const isNew = !existsSync(file)
  try {
    await (await open(file, 'a')).close()
  } catch (error) {
    throw new Error(`--out: cannot write ${file}: ${(error as Error).message}`, { cause: error })
  }
  if (isNew) await rm(file)
}
