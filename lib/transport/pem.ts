/** The parts of a PEM text (RFC 7468), which may have other text around them. */

/** All certificates, in order. */
export function certificatesIn(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
}

/** The first private key; undefined when there is none. */
export function privateKeyIn(text: string): string | undefined {
  return /-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----/s.exec(text)?.[0];
}
