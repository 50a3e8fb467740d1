/** The option that a parser is reading, with the function that creates errors about this option. */
export interface Place {
  /** The full name of the option, such as `dpop.maxProofAgeMs`. */
  readonly option: string
  /** True if http URLs are also accepted for hosts other than localhost. */
  readonly allowInsecureHttp: boolean
  /** Creates the error to throw if the option is invalid. */
  readonly toError: (message: string) => Error
}
