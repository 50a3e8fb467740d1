/** Parameters of a token request that are for the server alone. */
const secretParameters = ['client_secret', 'client_assertion', 'assertion', 'subject_token', 'actor_token']
/** What is shorter is no secret, and would take letters out of every sentence. */
const shortestSecret = 4

/** Takes what a token request proves itself with out of a text: in every way it was, or can be, written. */
export function hideSecretsOf(request: { body?: unknown; headers?: unknown }): (text: string) => string {
  const written = [...inParameters(request.body), ...inHeaders(request.headers)]
  const secrets = new Set(
    written.flatMap(secret => [secret, encodeURIComponent(secret), formEncoded(secret)]),
  )
  return text => {
    let hidden = text
    for (const secret of secrets)
      if (secret.length >= shortestSecret) hidden = hidden.replaceAll(secret, '[redacted]')
    return hidden
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ text }).toString().slice('text='.length)
}

function inParameters(body: unknown): string[] {
  if (!(body instanceof URLSearchParams)) return []
  return secretParameters.flatMap(name => body.getAll(name))
}

/** RFC 6749 §2.3.1: the secret is form-urlencoded, joined to the client's identifier, and that in base64. */
function inHeaders(headers: unknown): string[] {
  const [, basic] =
    /^Basic (.+)$/.exec(new Headers(headers as Record<string, string>).get('authorization') ?? '') ?? []
  if (basic === undefined) return []
  const pair = Buffer.from(basic, 'base64').toString()
  const encoded = pair.slice(pair.indexOf(':') + 1)
  return [basic, encoded, new URLSearchParams(`secret=${encoded}`).get('secret') ?? encoded]
}
