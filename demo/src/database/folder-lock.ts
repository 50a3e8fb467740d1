import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseError } from './database-error.js'

/**
 * Locks a folder for this process, because two processes with the same PGlite folder would corrupt it. The lock of a
 * process that no longer runs is replaced.
 * @returns a function that releases the lock
 * @throws {DatabaseError} if a running process has the lock, with its process id
 */
export function lockFolder(folder: string): () => void {
  const file = `${folder}.lock`
  const holder = readHolder(file)
  if (holder !== undefined && !isRunning(holder)) rmSync(file, { force: true })
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new DatabaseError(
      `The database in ${folder} is open in process ${readHolder(file) ?? 'unknown'}: a demo is running already.`,
      `Stop that process, or set DEMO_FOLDER to another folder for a second demo. If no demo is running, delete ${file}.`,
      error,
    )
  }
  return () => rmSync(file, { force: true })
}

function readHolder(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
    return Number.isNaN(pid) ? undefined : pid
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: the process runs as another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
