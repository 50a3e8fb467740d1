// An application, in a separate project, that uses the exports of a library.
import { app, optional, read } from '../library/consumer-library.js'

app.get('/mine', { config: read }, async ({ auth }) => {
  const scopes: readonly ('receipts:read' | 'receipts:write')[] = auth.scopes
  return scopes
})
app.get('/optional', { config: optional }, async ({ auth }) => auth?.clientId ?? 'nobody')
// @ts-expect-error -- the token of an optional route may be null
app.get('/unchecked', { config: optional }, async ({ auth }) => auth.clientId)
