import type { IssuerControls } from '../authorization-server/app.js'
import { receiptsApi } from '../receipts-api.js'
import type { ServerControl } from './control-server.js'

/** The controls that switches use. */
export interface Levers {
  readonly issuer: IssuerControls
  readonly issuerServer: ServerControl
  readonly receiptServer: ServerControl
  /** Makes both clients lose their cached tokens. */
  readonly forgetTokens: () => void
  /** Sends a token signed with the newest key to both resource servers. */
  readonly showNewKey: () => Promise<void>
}

/** One thing to break. */
export interface Switch {
  readonly name: string
  readonly title: string
  /** The action and its visible effect. */
  readonly text: string
  /** The label of the button, if there is nothing to heal. */
  readonly verb?: string
  /** Undefined for an action that is done once and cannot be healed. */
  readonly heal?: (levers: Levers) => Promise<void> | void
  readonly break: (levers: Levers) => Promise<void> | void
}

/** The client whose tokens are changed. Books can still be bought, because the storefront is another client. */
const client = 'payment-service'
const slowMs = 5_000

/** Returns the `break` and `heal` of a switch that changes the claims of tokens for the receipt service. */
function wrongToken(
  name: string,
  change: (claims: Record<string, unknown>) => void,
): Pick<Switch, 'name' | 'break' | 'heal'> {
  return {
    name,
    break({ issuer, forgetTokens }) {
      issuer.tampering.set(name, (clientId, claims) => {
        if (clientId === client) change(claims)
      })
      forgetTokens()
    },
    heal({ issuer, forgetTokens }) {
      issuer.tampering.delete(name)
      forgetTokens()
    },
  }
}

export const switches: readonly Switch[] = [
  {
    title: 'Wrong audience',
    text: 'The payment service’s token is for another API. The receipt service answers 401. The client asks for one more token, sends it, and gives up. The book is paid, and its receipt waits.',
    ...wrongToken('wrong-audience', claims => {
      claims['aud'] = 'https://another-api.example'
    }),
  },
  {
    title: 'Missing scope',
    text: 'The token allows reading receipts, not issuing them. The receipt service answers 403 and names the scope it needs. Another token would not help, so the client does not ask for one.',
    ...wrongToken('missing-scope', claims => {
      claims['scope'] = receiptsApi.pick('readReceipt').scopes.join(' ')
    }),
  },
  {
    title: 'Expired token',
    text: 'The issuer’s clock is wrong, so its tokens have already expired. The receipt service answers 401. The client gets one more token, which is refused as well.',
    ...wrongToken('expired-token', claims => {
      claims['exp'] = Number(claims['iat']) - 60
      claims['iat'] = Number(claims['iat']) - 360
    }),
  },
  {
    name: 'wrong-secret',
    title: 'Wrong secret',
    text: 'The payment service’s secret was changed at the issuer. The issuer answers invalid_client, so there is no token, and nothing is sent to the receipt service.',
    async break({ issuer, forgetTokens }) {
      await issuer.replaceSecret(client, crypto.randomUUID())
      forgetTokens()
    },
    async heal({ issuer, forgetTokens }) {
      await issuer.replaceSecret(client, undefined)
      forgetTokens()
    },
  },
  {
    name: 'issuer-down',
    title: 'Issuer down',
    text: 'The shop keeps working, because services use the tokens and keys they have. If you also forget the tokens, paying fails at once with 503, and nothing is charged.',
    break: ({ issuerServer }) => issuerServer.setDown(true),
    heal({ issuerServer, forgetTokens }) {
      issuerServer.setDown(false)
      // Ends the back-off of clients, so that waiting deliveries continue at once.
      forgetTokens()
    },
  },
  {
    name: 'receipts-down',
    title: 'Receipt service down',
    text: 'The book is paid. Its receipt stays in the outbox until the service is back.',
    break: ({ receiptServer }) => receiptServer.setDown(true),
    heal: ({ receiptServer }) => receiptServer.setDown(false),
  },
  {
    name: 'slow-receipts',
    title: 'Slow receipts',
    text: 'Each request to the receipt service takes five seconds longer. The purchase waits three seconds, then shows the order; the receipt follows.',
    break: ({ receiptServer }) => receiptServer.setDelay(slowMs),
    heal: ({ receiptServer }) => receiptServer.setDelay(0),
  },
  {
    name: 'rotate-keys',
    title: 'Rotate the signing key',
    verb: 'Rotate',
    text: 'The issuer signs with a new key. Each service fetches the keys once when it first sees the new key. No request is refused.',
    async break({ issuer, forgetTokens }) {
      await issuer.rotateKeys()
      forgetTokens()
    },
  },
  {
    name: 'withdraw-keys',
    title: 'Withdraw the key',
    verb: 'Withdraw',
    text: 'The key is compromised, so the issuer lists only a new one. Cached tokens are refused with 401, and the clients replace them: the purchase succeeds.',
    async break({ issuer, showNewKey }) {
      await issuer.withdrawKeys()
      await showNewKey()
    },
  },
  {
    name: 'forget-tokens',
    title: 'Forget the tokens',
    verb: 'Forget',
    text: 'Both clients lose their cached tokens, as after a restart. The next call asks for a new one.',
    break: ({ forgetTokens }) => forgetTokens(),
  },
]
