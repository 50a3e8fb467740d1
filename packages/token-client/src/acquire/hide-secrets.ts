/** The secret parameters of token requests. */
const secretParameters = ['client_secret', 'client_assertion', 'assertion', 'subject_token', 'actor_token']
/** The minimum length of secrets to redact. Shorter secrets would also match parts of ordinary words. */
const shortestSecret = 4

/**
 * Returns a function that redacts the secrets of a token request from a text, because some servers repeat secrets in
 * their responses. Each secret is redacted in all its encodings.
 */
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

/** Returns the secret of HTTP Basic credentials in all its encodings (RFC 6749 §2.3.1). */
function inHeaders(headers: unknown): string[] {
  const [, basic] =
    /^Basic (.+)$/.exec(new Headers(headers as Record<string, string>).get('authorization') ?? '') ?? []
  if (basic === undefined) return []
  const pair = Buffer.from(basic, 'base64').toString()
  const encoded = pair.slice(pair.indexOf(':') + 1)
  return [basic, encoded, new URLSearchParams(`secret=${encoded}`).get('secret') ?? encoded]
}
