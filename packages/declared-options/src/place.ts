/** The option that is being read, and how to reject it. */
export interface Place {
  /** Its full name, such as `dpop.maxProofAgeMs`. */
  readonly option: string
  /** Whether URLs may be plain http to other machines. */
  readonly allowInsecureHttp: boolean
  /** Makes the error for a message. */
  readonly toError: (message: string) => Error
}
