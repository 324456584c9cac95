/** How servers are trusted and met. */
export interface TlsSetting {
  /** PEM files that are trusted beside the system's. */
  readonly caFiles?: readonly string[];
  /** A PEM file with certificate and key. */
  readonly clientCertificate?: string | undefined;
  /** Don't check certificates. */
  readonly insecure?: boolean;
  readonly userAgent?: string | undefined;
  /** Silence for so long is a fault; five minutes unless told. */
  readonly stuckRequestMs?: number;
}
