const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Whether a URL is safe to send secrets to and to believe answers from: https, or http on this machine.
 * A user name or a password in the URL would end up in logs, so such a URL never is.
 * @param allowInsecureHttp accepts plain http to other machines as well
 */
export function isTrustworthyUrl(url: string, allowInsecureHttp: boolean): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname, username, password } = new URL(url)
  if (username !== '' || password !== '') return false
  if (protocol === 'https:') return true
  return protocol === 'http:' && (allowInsecureHttp || loopback.test(hostname))
}
