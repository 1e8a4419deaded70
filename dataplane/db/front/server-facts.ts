/** Version of Redis whose behaviour is followed: clients decide by it what they may use. */
export const followedRedisVersion = '7.2.0';

/** What went through a front end in a second. */
export interface Rates {
  readonly commands: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Figures of one front end, for INFO. */
export interface ServerFacts {
  readonly pod: string;
  readonly node: string;
  /** Where it listens. */
  port: number;
  readonly incarnation: string;
  readonly startedAt: number;
  connectionsReceived: number;
  connectionsRejected: number;
  commandsProcessed: number;
  /** Of RESP clients. */
  bytesIn: number;
  bytesOut: number;
  /** A second, over the last second. */
  rates: Rates;
  readonly maxClients: number;
}

type Totals = Pick<ServerFacts, 'commandsProcessed' | 'bytesIn' | 'bytesOut'>;

/** Sets the rates from time to time; call it about once a second. */
export const ratesOf = (facts: ServerFacts): (() => void) => {
  let [last, lastAt]: [Totals, number] = [{ ...facts }, performance.now()];
  return () => {
    const now = performance.now();
    const perSecond = (name: keyof Totals): number => ((facts[name] - last[name]) * 1000) / Math.max(1, now - lastAt);
    const [commands, bytesIn, bytesOut] = [perSecond('commandsProcessed'), perSecond('bytesIn'), perSecond('bytesOut')];
    facts.rates = { commands, bytesIn, bytesOut };
    [last, lastAt] = [{ ...facts }, now];
  };
};
