/**
 * Loads undici when it is first needed, because that takes longer than loading the rest of the package. `import()` would
 * make `client.dispatcher` a promise. Bundlers follow a `require` in a CommonJS file, but not one from `createRequire`.
 */
export function loadUndici(): typeof import('undici') {
  return require('undici')
}
