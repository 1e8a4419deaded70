import { pino } from 'pino';
import type { Route } from './endpoints.ts';
import { ServiceProxy } from './proxy.ts';

/**
 * The proxy's process: apart from the supervisor, so that traffic never delays a probe or a lease. It gets tables over the
 * IPC channel and says which addresses it opened.
 */
export interface ListeningMessage {
  readonly address: string;
  readonly error?: string;
}

const log = pino({ name: 'service-proxy', level: process.env['QUARTET_LOG_LEVEL'] ?? 'info' });
const proxy = new ServiceProxy(log, (address, error) => {
  process.send?.({ address, ...(error !== undefined && { error }) } satisfies ListeningMessage);
});
process.on('message', (routes: Route[]) => proxy.apply(routes));
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
