import { randomUUID } from 'node:crypto'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { DatabaseConfig } from './database.js'

/** Returns whether the embedded database does not exist yet. Creating it takes seconds. */
export function isFirstStart({ url, folder }: DatabaseConfig): boolean {
  return url === undefined && !existsSync(folder)
}

/**
 * Creates the embedded database in a worker thread, so that the services can be loaded at the same time. The folder is
 * renamed when it is complete, so an interrupted start leaves no partial database. Never rejects: a failure is reported
 * when the database is opened.
 */
export async function prepareFolder(
  { folder }: DatabaseConfig,
  program: URL = new URL('prepare-worker.js', import.meta.url),
): Promise<void> {
  const unfinished = `${folder}.${randomUUID()}`
  const worker = new Worker(program, {
    workerData: unfinished,
    // The worker does not need this process's loaders and hooks.
    execArgv: [],
  })
  const isDone = await new Promise<boolean>(resolve => {
    worker.once('error', () => resolve(false))
    worker.once('exit', code => resolve(code === 0))
  })
  try {
    // Fails if another process has created the database meanwhile.
    if (isDone) renameSync(unfinished, folder)
  } catch {
    // The database of the other process is used.
  }
  try {
    rmSync(unfinished, { recursive: true, force: true })
  } catch {
    // A part of the path may be a file; `openDatabase` reports that.
  }
}
