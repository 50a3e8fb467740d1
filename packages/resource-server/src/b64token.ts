/** Returns whether a text only has characters that access tokens may have (RFC 6750 §2.1). */
export function isB64token(text: string): boolean {
  return /^[A-Za-z0-9\-._~+/]+=*$/.test(text)
}
