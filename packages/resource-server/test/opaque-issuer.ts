import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { listen } from 'test-support/listen'
import { audience } from './protected-app.js'

interface Question {
  readonly authorization: string | undefined
  readonly form: Readonly<Record<string, string>>
}

export interface OpaqueIssuer {
  readonly url: string
  readonly questions: Question[]
  readonly clock: { now: number }
  /** What the issuer says of each token; a function answers by itself. */
  readonly answers: Map<string, object | ((response: ServerResponse) => void)>
  readonly asked: string[]
}

/** An issuer of opaque tokens: metadata and introspection (RFC 7662). */
export async function startOpaque(t: Test, metadata: object = {}): Promise<OpaqueIssuer> {
  const opaque = {
    questions: [] as Question[],
    answers: new Map<string, object | ((response: ServerResponse) => void)>(),
    asked: [] as string[],
    clock: { now: 1_800_000_000_000 },
    url: '',
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    opaque.asked.push(request.url ?? '')
    response.setHeader('content-type', 'application/json')
    if (request.url?.startsWith('/.well-known/') === true) {
      const introspection_endpoint = `${opaque.url}/introspect`
      response.end(JSON.stringify({ issuer: opaque.url, introspection_endpoint, ...metadata }))
      return
    }
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const form = Object.fromEntries(new URLSearchParams(body))
    opaque.questions.push({ authorization: request.headers.authorization, form })
    const found = opaque.answers.get(form['token'] ?? '') ?? { active: false }
    if (typeof found === 'function') found(response)
    else response.end(JSON.stringify(found))
  }
  const server = createServer((request, response) => void answer(request, response))
  opaque.url = await listen(t, server)
  return opaque
}

/** What it says of a token that is good, with these changes. */
export function active({ url, clock }: OpaqueIssuer, changes: object = {}): object {
  const exp = Math.floor(clock.now / 1000) + 300
  return {
    active: true,
    iss: url,
    aud: audience,
    sub: 'alice',
    client_id: 'shop',
    scope: 'read',
    exp,
    ...changes,
  }
}
