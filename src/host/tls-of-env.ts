/** How the servers of destinations are trusted, by the variables of the command line. */
import type { TlsSetting } from '../backend/http/tls.ts';

type Env = Readonly<Record<string, string | undefined>>;

const variable = (env: Env, name: string) => env[`HOLDFAST_${name}`] || env[`RESTIC_${name}`] || undefined;

export function tlsOfEnv(env: Env): TlsSetting {
  return {
    caFiles: variable(env, 'CACERT')?.split(',') ?? [],
    clientCertificate: variable(env, 'TLS_CLIENT_CERT'),
    userAgent: variable(env, 'HTTP_USER_AGENT'),
  };
}
