import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { servicePorts } from '../../../contract/pod-env.ts';
import { watchDirectory } from '../../fabric/directory.ts';
import { watchHeartbeats } from '../../fabric/heartbeats.ts';
import type { Pod } from '../../fabric/pod.ts';
import { application } from './application.ts';
import { Gateway } from './gateway.ts';
import { MemberClient } from './member-client.ts';

/** A client that sends nothing for this long is cut off. */
const requestTimeoutMs = 60_000;

/** Starts a gateway: OpenSearch's REST API over the shards of the namespace. */
export async function start(pod: Pod): Promise<void> {
  const beats = watchHeartbeats(pod, 'search');
  const gateway = new Gateway(await watchDirectory(pod, 'search'), new MemberClient(pod, beats));
  const server = createServer(application(pod, gateway));
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs / 2;
  server.keepAliveTimeout = requestTimeoutMs;
  server.listen(pod.env.QUARTET_PORT ?? servicePorts['search-gateway'], pod.env.QUARTET_POD_IP);
  await once(server, 'listening');
  pod.health.set('http', true);
  pod.log.info({ port: (server.address() as AddressInfo).port }, 'listening');
  pod.onShutdown('search http', async () => {
    pod.health.set('http', false, 'stopping');
    server.closeIdleConnections();
    server.close();
    await Promise.race([once(server, 'close'), new Promise((resolve) => setTimeout(resolve, 3000).unref())]);
    server.closeAllConnections();
  });
}
