/**
 * What an operator can set about the two HTTP doors: one for the public, one for operators.
 */
export interface HttpOptions {
  /** The page for the public. Default `:8080`; empty: off. */
  readonly listen: string;
  /** The same over HTTPS, such as `:8443`; browsers give camera and microphone to pages from HTTPS or localhost only. Default empty: off. */
  readonly tlsListen: string;
}

export interface AdminOptions {
  /** Metrics, health and the control API. Default `127.0.0.1:9998`; empty: off. */
  readonly listen: string;
  /** Bearer token; needed on any address but loopback, checked wherever it is set. Never logged. */
  readonly token: string;
  /** Host names, besides the listen address and localhost, under which the admin interface may be called. */
  readonly hosts: readonly string[];
}

export const HTTP_DEFAULTS: HttpOptions = { listen: ':8080', tlsListen: '' };
export const ADMIN_DEFAULTS: AdminOptions = { listen: '127.0.0.1:9998', token: '', hosts: [] };
