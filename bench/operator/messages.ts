/** What main.ts asks of the operator process. */
export type Request =
  | { readonly type: 'figures' }
  | { readonly type: 'follow'; readonly on: boolean }
  | { readonly type: 'wake-all' }
  | { readonly type: 'stop' };

/** Figures of the operator process. */
export interface Figures {
  readonly type: 'figures';
  /** bytes */
  readonly rss: number;
  readonly heapUsed: number;
  /** User and system time since the start, ms. */
  readonly cpuMs: number;
  /** No key is waiting or being worked on. */
  readonly idle: boolean;
  /** Different keys reconciled since the start or the last wake-all. */
  readonly reconciled: number;
  /** Requests since the start. */
  readonly writes: number;
  readonly reads: number;
  readonly lease: number;
}

/** What the operator process says. */
export type Reply =
  | Figures
  | {
      readonly type: 'reconcile';
      readonly key: string;
      /** ms since the epoch, with fractions */ readonly began: number;
    };
