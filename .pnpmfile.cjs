// These packages declare `node: >=22` but work on Node.js 20, where the tests run them. Without this hook, pnpm warns
// about each of them before everything else in an install on Node.js 20.
const testedOnNode20 = new Set(['content-disposition', 'cookie', 'kysely'])

module.exports = {
  hooks: {
    readPackage(manifest) {
      if (testedOnNode20.has(manifest.name) && manifest.engines?.node?.startsWith('>=22'))
        delete manifest.engines
      return manifest
    },
  },
}
