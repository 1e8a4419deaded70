import { servicePorts } from '../../../contract/pod-env.ts';
import { watchDirectory } from '../../fabric/directory.ts';
import { watchHeartbeats } from '../../fabric/heartbeats.ts';
import type { Pod } from '../../fabric/pod.ts';
import { listenForRequests } from '../api/listener.ts';
import { FrontEnd } from '../front/front-end.ts';
import { exportMetrics } from './metrics.ts';
import { NatsTransport } from './nats-transport.ts';
import { Router } from './router.ts';

/** Role `db-gateway`: Redis clients and NATS requests in, requests to the primaries of shards out. Keeps no state. */
export const start = async (pod: Pod): Promise<void> => {
  pod.health.set('resp', false, 'not listening yet');
  const directory = await watchDirectory(pod, 'db');
  const router = new Router(directory, watchHeartbeats(pod, 'db'), new NatsTransport(pod, null));
  pod.onShutdown('router', async () => router.stop());
  const stopRequests = listenForRequests({ router, nats: pod.nats, namespace: pod.env.QUARTET_NAMESPACE });
  const frontEnd = new FrontEnd(pod, router, { port: pod.env.QUARTET_PORT ?? servicePorts['db-gateway'] });
  const port = await frontEnd.listen(pod.env.QUARTET_POD_IP);
  pod.onShutdown('front end', async () => {
    stopRequests();
    await frontEnd.close();
  });
  exportMetrics(pod, frontEnd, router);
  pod.health.set('resp', true);
  pod.log.info({ host: pod.env.QUARTET_POD_IP, port }, 'speaking RESP');
};
