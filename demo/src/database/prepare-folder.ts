import { randomUUID } from 'node:crypto'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { DatabaseConfig } from './database.js'

/** Whether the embedded database has yet to be created, which takes seconds. */
export function isFirstStart({ url, folder }: DatabaseConfig): boolean {
  return url === undefined && !existsSync(folder)
}

/**
 * Creates the embedded database in a thread of its own, so that the services can be loaded meanwhile. It gets its name
 * when it is whole: a start that is broken off leaves no half of one. Never rejects: what cannot be done here is done,
 * or reported, where the database is opened.
 */
export async function prepareFolder({ folder }: DatabaseConfig): Promise<void> {
  const unfinished = `${folder}.${randomUUID()}`
  const worker = new Worker(new URL('prepare-worker.js', import.meta.url), {
    workerData: unfinished,
    // It needs none of the loaders and hooks that this process may have been started with.
    execArgv: [],
  })
  const isDone = await new Promise<boolean>(resolve => {
    worker.once('error', () => resolve(false))
    worker.once('exit', code => resolve(code === 0))
  })
  try {
    // Fails when another process was quicker.
    if (isDone) renameSync(unfinished, folder)
  } catch {
    // The other one's is as good.
  }
  try {
    rmSync(unfinished, { recursive: true, force: true })
  } catch {
    // A part of the path may be a file: opening the database says so.
  }
}
