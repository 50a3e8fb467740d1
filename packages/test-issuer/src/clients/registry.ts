import { registerClient, type ClientRegistration, type RegisteredClient } from './registration.js'

/** The client id and secret to pass to the client that is being tested. */
export interface ClientCredentials {
  readonly clientId: string
  /** The client secret, or an empty string if the client authenticates with a private key. */
  readonly clientSecret: string
}

/** The registered clients. */
export interface ClientRegistry {
  readonly clients: ReadonlyMap<string, RegisteredClient>
  /** Adds a client, or replaces the client with the same id. @throws {TypeError} if the registration is invalid */
  register(registration: ClientRegistration): ClientCredentials
}

export function createClientRegistry(registrations: readonly ClientRegistration[]): ClientRegistry {
  const clients = new Map<string, RegisteredClient>()
  function register(registration: ClientRegistration): ClientCredentials {
    const client = registerClient(registration)
    clients.set(client.clientId, client)
    return { clientId: client.clientId, clientSecret: client.clientSecret ?? '' }
  }
  for (const registration of registrations) register(registration)
  return { clients, register }
}
