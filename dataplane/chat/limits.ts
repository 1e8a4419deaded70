/** Every bound and period of a chat gateway. Tests shorten some; production uses {@link defaultLimits}. */
export interface ChatLimits {
  /** Connections of one gateway; more get HTTP 503 before the upgrade. */
  readonly maxConnections: number;
  /** Channels that one connection may be subscribed to (disconnect 3505 beyond). */
  readonly maxSubscriptions: number;
  /** Commands in one WebSocket frame (disconnect 3501 beyond). */
  readonly maxCommandsPerFrame: number;
  /** Commands that wait for their turn on one connection (disconnect 3013 beyond). */
  readonly maxQueuedCommands: number;
  /** Largest WebSocket message from a client in bytes (closed with 1009 beyond). */
  readonly maxFrameBytes: number;
  /** Unsent bytes of one connection before it is closed as slow (3008). */
  readonly maxUnsentBytes: number;
  /** Steady rate of commands of one connection, and how many may come at once. */
  readonly commandsPerSecond: number;
  readonly commandBurst: number;
  /** A publication waits at most this long for others that share its frame (ms); 0 sends each alone. */
  readonly batchWindowMs: number;
  /** Time between two pings, and from a ping until the connection counts as dead (s). Their sum is below 30. */
  readonly pingSeconds: number;
  readonly pongSeconds: number;
  /** A connection that has not sent `connect` after this many seconds is closed (3502). */
  readonly connectSeconds: number;
  /** Messages and bytes that a room keeps in memory for history and recovery. */
  readonly ringMessages: number;
  readonly ringBytes: number;
  /** Most messages and bytes that a recovery brings; a client further behind gets `recovered: false`. */
  readonly maxRecovered: number;
  readonly maxRecoveredBytes: number;
  /** Most messages in one history answer. */
  readonly maxHistory: number;
  /** Most clients in one presence answer (error 106 beyond; presence_stats has no bound). */
  readonly maxPresence: number;
  /** A room that nobody uses is given up after this time (ms). */
  readonly roomIdleMs: number;
  /** How long other gateways have to answer a question about presence (ms). */
  readonly gatherMs: number;
  /** Time between two looks at the streams: their identity, lost live messages, counts (ms). */
  readonly auditMs: number;
  /** Time between two retention sweeps (ms). */
  readonly sweepMs: number;
  /** A publish attempt waits this long for its acknowledgement, and all attempts together this long (ms). */
  readonly publishAttemptMs: number;
  readonly publishDeadlineMs: number;
}

export const defaultLimits: ChatLimits = {
  maxConnections: 50_000,
  maxSubscriptions: 128,
  maxCommandsPerFrame: 256,
  maxQueuedCommands: 1_024,
  maxFrameBytes: 64 * 1024,
  maxUnsentBytes: 1024 * 1024,
  commandsPerSecond: 50,
  commandBurst: 400,
  batchWindowMs: 10,
  pingSeconds: 25,
  pongSeconds: 4,
  connectSeconds: 10,
  ringMessages: 512,
  ringBytes: 1024 * 1024,
  maxRecovered: 10_000,
  maxRecoveredBytes: 4 * 1024 * 1024,
  maxHistory: 1_000,
  maxPresence: 2_000,
  roomIdleMs: 60_000,
  gatherMs: 500,
  auditMs: 2_000,
  sweepMs: 30_000,
  publishAttemptMs: 1_500,
  publishDeadlineMs: 4_500,
};
