import { generate } from 'selfsigned'

/** A certificate with its key, both PEM, made for one test: https on localhost, or a client that shows it. */
export async function makeCertificate(commonName: string): Promise<CertificateWithKey> {
  return makeCertificateUntil(commonName, new Date(Date.now() + 365 * 24 * 3_600_000))
}

export interface CertificateWithKey {
  readonly key: string
  readonly cert: string
}

/** The same, until a time that may be past. */
export async function makeCertificateUntil(
  commonName: string,
  notAfterDate: Date,
): Promise<CertificateWithKey> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 3_600_000),
    notAfterDate,
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  return { key, cert }
}
