/** Identifies the option that is being parsed, and creates the errors about it. */
export interface Place {
  /** The full name of the option, such as `dpop.maxProofAgeMs`. */
  readonly option: string
  /** True if http URLs are also accepted for hosts other than localhost. */
  readonly allowInsecureHttp: boolean
  /** Creates the error to throw if the option is invalid. */
  readonly toError: (message: string) => Error
}
