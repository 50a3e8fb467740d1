import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

const folder = String(workerData)
mkdirSync(dirname(folder), { recursive: true })
const database = await PGlite.create(folder)
await database.close()
