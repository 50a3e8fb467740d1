import { generate } from 'selfsigned'

/** Creates a certificate and its key in PEM format, for an https server on localhost or for a client. */
export async function makeCertificate(commonName: string): Promise<CertificateWithKey> {
  return makeCertificateUntil(commonName, new Date(Date.now() + 365 * 24 * 3_600_000))
}

export interface CertificateWithKey {
  readonly key: string
  readonly cert: string
}

/** Creates a certificate that expires at the given time. This time may be in the past. */
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
