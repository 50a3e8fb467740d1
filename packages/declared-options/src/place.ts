/** The option that is being read. */
export interface Place {
  /** The full name of the option, such as `dpop.maxProofAgeMs`. */
  readonly option: string
  /** Whether http URLs of other machines are accepted. */
  readonly allowInsecureHttp: boolean
  /** Creates the library's error with this message. */
  readonly toError: (message: string) => Error
}
