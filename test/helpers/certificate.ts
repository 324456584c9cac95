/**
 * A certificate for localhost and 127.0.0.1, signed by itself, valid from 2020 to 2119. The key is public: it proves nothing
 * to anybody who does not choose to trust this certificate, as tests do.
 */
import tls from 'node:tls';

export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3vA82aD7SLrWzTFv
MF+7PtI+i0xVj3O634Skew/P+c2hRANCAAR6kH4HBeXQkMDyZacow69lQTjZpt9Q
X0yMYwi6PCLij63Am/X65vKWu8S4lL5xvI2mvDMAzF3Vcz6+QuUih2Yu
-----END PRIVATE KEY-----
`;

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBZjCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjExOTEyMzEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHqQfgcF5dCQwPJl
pyjDr2VBONmm31BfTIxjCLo8IuKPrcCb9frm8pa7xLiUvnG8jaa8MwDMXdVzPr5C
5SKHZi6jTjBMMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAPBgNVHRMBAf8E
BTADAQH/MB0GA1UdDgQWBBTzpLrPkBrv6povozYXJNsF7PMg0DAKBggqhkjOPQQD
AgNHADBEAiBI+S+GA71DDTOiwnivthnDU/d7AEXz89YVEV5mm8XgMgIgLIQMTU9V
SFyBikkdL2QdlZ8/MAg0aRFakd1UTscUdb0=
-----END CERTIFICATE-----
`;

/** Has this process trust the certificate, until it is disposed of. */
export function trustCertificate(): Disposable {
  const before = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...before, CERTIFICATE]);
  return { [Symbol.dispose]: () => tls.setDefaultCACertificates(before) };
}
