declare module 'undici-oidc-interceptor' {
  import type { Dispatcher } from 'undici'
  export function createOidcInterceptor(options: object): Dispatcher.DispatcherComposeInterceptor
}
