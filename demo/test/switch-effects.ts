/** The expected texts on the page after a switch was flipped. */
export interface Effect {
  /** The result of the trial purchase. */
  readonly says: RegExp
  /** When the receipt is issued. */
  readonly receipt: 'at once' | 'once healed' | 'a little later'
  /** In the opened line of the flow that the result links to. */
  readonly inside: RegExp
  /** Lines of the flow after the flip: caller, called service, request, token and status. */
  readonly flow: readonly RegExp[]
  /** Not among these lines. */
  readonly never?: RegExp
}

const call = (from: string, to: string, rest: string): RegExp =>
  new RegExp(`^${from} → to ${to} ${rest}$`, 'm')
const receiptPut = (rest: string): RegExp =>
  call('Payment service', 'Receipt service', `PUT /receipts/\\w+… ${rest}`)
const paid = String.raw`A book was bought: paid, and the receipt `
const waitsBecause = (why: string): RegExp => new RegExp(`${paid}waits.*Why: .*${why}.*Show this request`)
/** On a busy machine, a receipt may take longer than the purchase waits for it. */
export const isThere = new RegExp(`${paid}(is there|came a little later).*Show the requests`)

/** By the name of the switch. */
export const effects: Readonly<Record<string, Effect>> = {
  'wrong-audience': {
    says: waitsBecause(
      'The receipt service refuses the token: it was issued for another service \\(audience\\)',
    ),
    receipt: 'once healed',
    inside:
      /invalid_token[^]*expected https:\/\/receipts\.bookstore\.example: aud .{1,6}https:\/\/another-api\.example/,
    flow: [receiptPut('new token 401')],
  },
  'missing-scope': {
    says: waitsBecause('The receipt service refuses the token: it does not allow this request \\(scopes\\)'),
    receipt: 'once healed',
    inside: /error="insufficient_scope"[^]*scope="receipts:write"[^]*"scope": "receipts:read"/,
    flow: [receiptPut('new token 403')],
    // The client does not request another token, because it would be refused too.
    never: /(Payment service → to Issuer POST[^]*){2}/,
  },
  'expired-token': {
    says: waitsBecause('The receipt service refuses the token: it has expired \\(exp\\)'),
    receipt: 'once healed',
    inside: /invalid_token[^]*exp is in the past/,
    flow: [receiptPut('new token 401')],
  },
  'wrong-secret': {
    says: waitsBecause(
      'The issuer refuses: it does not accept the client’s credentials \\(invalid_client\\)',
    ),
    receipt: 'once healed',
    inside: /authorization: Basic payment-service:•••[^]*401 after[^]*"error": "invalid_client"/,
    flow: [call('Payment service', 'Issuer', 'POST /token 401')],
    never: /to Receipt service/,
  },
  'issuer-down': {
    says: isThere,
    receipt: 'at once',
    inside:
      /with its token, the one it already has \(cached\)\. The payment service checks the token, accepts it and answers 201/,
    flow: [
      call('Storefront', 'Payment service', 'POST /payments cached token 201'),
      receiptPut('cached token 201'),
    ],
  },
  'receipts-down': {
    says: waitsBecause('It gets no answer'),
    receipt: 'once healed',
    inside: /None (UND_ERR_SOCKET|ECONNRESET)/,
    flow: [receiptPut('cached token no answer')],
  },
  'slow-receipts': {
    says: new RegExp(`${paid}(waits.*has not answered yet|came a little later)`),
    receipt: 'a little later',
    inside: /Answer\s+(not yet|201 after \d{4,} ms)/,
    flow: [receiptPut('cached token (…|201)')],
  },
  'rotate-keys': {
    says: isThere,
    receipt: 'at once',
    inside: /asks the issuer where its token endpoint|asks the issuer for an access token/,
    flow: [
      call('Payment service', 'Issuer', 'GET /jwks 200'),
      call('Receipt service', 'Issuer', 'GET /jwks 200'),
      receiptPut('new token 201'),
    ],
    never: / (4|5)\d\d$/m,
  },
  'withdraw-keys': {
    says: isThere,
    receipt: 'at once',
    inside:
      /The payment service refuses the token: the issuer did not sign it[^]*the issuer has no key that matches the kid/,
    flow: [
      call('Storefront', 'Payment service', 'POST /payments cached token 401'),
      call('Storefront', 'Payment service', 'POST /payments new token 201'),
      receiptPut('cached token 401'),
      receiptPut('new token 201'),
    ],
  },
  'forget-tokens': {
    says: isThere,
    receipt: 'at once',
    inside: /asks the issuer where its token endpoint|asks the issuer for an access token/,
    flow: [
      call('Storefront', 'Issuer', 'POST /token new token 200'),
      call('Payment service', 'Issuer', 'POST /token new token 200'),
      receiptPut('new token 201'),
    ],
  },
}
