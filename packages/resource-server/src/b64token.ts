/** Returns whether a string contains only characters that are allowed in access tokens (RFC 6750 §2.1). */
export function isB64token(text: string): boolean {
  return /^[A-Za-z0-9\-._~+/]+=*$/.test(text)
}
