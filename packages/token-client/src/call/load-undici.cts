/**
 * Loads undici on first use, because loading undici takes longer than loading the rest of the package. `import()` would
 * make `client.dispatcher` a promise. This file is CommonJS because bundlers do not follow a `require` that was created
 * by `createRequire`.
 */
export function loadUndici(): typeof import('undici') {
  return require('undici')
}
