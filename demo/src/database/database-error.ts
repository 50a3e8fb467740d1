/** The database cannot be opened; `remedy` says what to do. */
export class DatabaseError extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, { cause })
    this.remedy = remedy
  }
}

const otherFolder = 'set DEMO_FOLDER to another folder, or DATABASE_URL to a PostgreSQL server.'
/** Error code → reason and remedy. */
const folderFailures: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOSPC: ['the disk is full', `Make room, or ${otherFolder}`],
  EACCES: ['the user has no write permission there', `Change the permissions, or ${otherFolder}`],
  EPERM: ['the user has no write permission there', `Change the permissions, or ${otherFolder}`],
  EROFS: ['the disk is read-only', `Please ${otherFolder}`],
  ENOTDIR: ['a part of this path is a file', `Delete the file, or ${otherFolder}`],
  ENOENT: ['the system does not allow a folder there', `Please ${otherFolder}`],
  EEXIST: ['a part of this path is a file', `Delete the file, or ${otherFolder}`],
}

/** Returns the error for an embedded database whose folder cannot be used. */
export function folderError(folder: string, cause: unknown): DatabaseError {
  if (cause instanceof DatabaseError) return cause
  const [why, remedy] = folderFailures[codeOf(cause)] ?? [
    `it is damaged, or was made by another version: ${reasonOf(cause)}`,
    `It holds only this demo's orders. Delete the folder, or ${otherFolder}`,
  ]
  return new DatabaseError(`The database in ${folder} cannot be opened: ${why}.`, remedy, cause)
}

const serverFailures: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ECONNREFUSED: ['no server listens there', 'Start PostgreSQL, or correct host and port in DATABASE_URL.'],
  ENOTFOUND: ['there is no such host', 'Correct the host in DATABASE_URL.'],
  ETIMEDOUT: ['it does not answer', 'Check host, port and firewall for DATABASE_URL.'],
  '28P01': ['it refuses the password', 'Correct user and password in DATABASE_URL.'],
  '28000': ['it refuses the user', 'Correct the user in DATABASE_URL.'],
  '3D000': ['it has no such database', 'Create the database, or correct its name in DATABASE_URL.'],
}

/**
 * Returns the error for a server that cannot be used. It shows only host and port, because `DATABASE_URL` contains a
 * password.
 */
export function serverError(url: string, cause: unknown): DatabaseError {
  const { hostname, port } = new URL(url)
  const [why, remedy] = serverFailures[codeOf(cause)] ?? [
    reasonOf(cause),
    'Check DATABASE_URL, and whether the server runs.',
  ]
  const server = `${hostname}:${port === '' ? '5432' : port}`
  return new DatabaseError(`The PostgreSQL server at ${server} cannot be used: ${why}.`, remedy, cause)
}

/** PGlite's file system uses the error numbers of WASI. */
const wasiErrors: Readonly<Record<number, string>> = {
  2: 'EACCES',
  20: 'EEXIST',
  51: 'ENOSPC',
  54: 'ENOTDIR',
  63: 'EPERM',
  69: 'EROFS',
}

function codeOf(error: unknown): string {
  const {
    code,
    errno,
    errors = [],
  } = Object(error) as {
    code?: unknown
    errno?: unknown
    errors?: readonly unknown[]
  }
  if (code === undefined && typeof errno === 'number') return wasiErrors[errno] ?? ''
  // For a host with several addresses, Node reports one error per address; the first one is enough.
  const first = code ?? (Object(errors[0]) as { code?: unknown }).code
  return typeof first === 'string' ? first : ''
}

/** PGlite also throws objects that are not errors but have an `errno`. */
function reasonOf(error: unknown): string {
  const { message, errno } = Object(error) as { message?: unknown; errno?: unknown }
  if (typeof message === 'string' && message !== '') return message.replace(/\.$/, '')
  return typeof errno === 'number' ? `errno ${errno}` : 'for an unknown reason'
}
