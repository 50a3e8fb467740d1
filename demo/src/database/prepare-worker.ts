import { dirname } from 'node:path'
import { workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { makeFolder } from './make-folder.js'

const folder = String(workerData)
makeFolder(dirname(folder))
const database = await PGlite.create(folder)
await database.close()
