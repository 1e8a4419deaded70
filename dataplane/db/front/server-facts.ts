/** Version of Redis whose behaviour is followed: clients decide by it what they may use. */
export const followedRedisVersion = '7.2.0';

/** Figures of one front end, for INFO. */
export interface ServerFacts {
  readonly pod: string;
  readonly node: string;
  readonly port: number;
  readonly incarnation: string;
  readonly startedAt: number;
  connectionsReceived: number;
  connectionsRejected: number;
  commandsProcessed: number;
  readonly maxClients: number;
}
