import { InvalidOptionError } from '../errors.js'
import type { Logger } from '../log.js'
import { createBindingCheck, type CheckBinding, type DpopSettings } from './check-binding.js'
import { createPossessionCheck } from './check-possession.js'
import type { ClientCertificate } from './client-certificate.js'
import { createUsedProofs, type UsedProofs } from './used-proofs.js'

/** The options for tokens that are bound to a key or a certificate. */
export interface BindingSettings {
  readonly dpop: DpopSettings | undefined
  readonly clientCertificate: ClientCertificate | undefined
  readonly clock: () => number
}

/** Checks tokens that are bound to a key or a certificate, and records which DPoP proofs have been used. */
export interface EnforcedBinding {
  readonly check: CheckBinding
  /**
   * Tests whether the store of used DPoP proofs works. If the store does not respond, startup continues, and the test
   * is repeated before the store is first used.
   * @throws {InvalidOptionError} if the store returns incorrect values
   */
  verifyStore(): Promise<void>
}

export function enforceBinding(
  { dpop, clientCertificate, clock }: BindingSettings,
  log: Logger,
): EnforcedBinding {
  const usedProofs = dpop && createUsedProofs(dpop, log)
  const checkPossession = dpop && usedProofs && createPossessionCheck(dpop, usedProofs, clock)
  return {
    check: createBindingCheck(checkPossession, clientCertificate),
    verifyStore: () => refuseWrongStore(usedProofs),
  }
}

/**
 * Creates the check for bound tokens that is used with `mode: 'report'`. The check sends no nonces and does not mark
 * DPoP proofs as used, so it does not affect servers that share the replay store.
 */
export function reportBinding({ dpop, clientCertificate, clock }: BindingSettings): CheckBinding {
  const checkPossession =
    dpop &&
    createPossessionCheck({ ...dpop, nonceSecret: undefined }, { refuseReplay: () => undefined }, clock)
  return createBindingCheck(checkPossession, clientCertificate)
}

async function refuseWrongStore(usedProofs: UsedProofs | undefined): Promise<void> {
  const fault = await usedProofs?.verifyStore()
  if (fault?.isWrong === true)
    throw new InvalidOptionError(`option \`dpop.replayStore\` cannot be used: ${fault.reason}`)
}
