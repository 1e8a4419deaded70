import type { RequestOptions } from 'node:https';

/** How to reach and convince one API server. */
export interface Access {
  readonly server: URL;
  /** TLS options and headers for a request, with credentials as they are now: tokens and certificates are rotated. */
  options(): Promise<RequestOptions>;
  /** The options bring a connection agent of their own: there is a proxy. */
  readonly ownAgent: boolean;
}
