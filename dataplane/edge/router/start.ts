import { servicePorts } from '../../../contract/pod-env.ts';
import { watchDirectory } from '../../fabric/directory.ts';
import { watchHeartbeats } from '../../fabric/heartbeats.ts';
import type { Pod } from '../../fabric/pod.ts';
import { closeServer, createHttpServer, listen } from '../serve/http-server.ts';
import { defaultOriginLimits, OriginPools } from '../serve/origin-exchange.ts';
import { Fleet } from './fleet.ts';
import { GeoIp } from './geoip.ts';
import { purgeApi } from './purge-api.ts';
import { Router } from './router.ts';
import { StallWatch } from './stall-watch.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** An edge is near: one that does not take a connection in half a second is passed over. */
const limits = { ...defaultOriginLimits, connectMs: 500 };

/** Starts the router of a namespace: clients talk to it, it picks their edges. */
export async function start(pod: Pod): Promise<void> {
  const trusted = new TrustedProxies(pod.env.QUARTET_TRUSTED_PROXIES);
  const directory = await watchDirectory(pod, 'edge');
  const stalls = new StallWatch();
  pod.onShutdown('stall watch', async () => stalls.stop());
  const heartbeats = watchHeartbeats(pod, 'edge');
  const fleet = new Fleet(
    () => directory.entries,
    heartbeats,
    () => stalls.stalledMs(),
  );
  const pools = new OriginPools(limits);
  pod.onShutdown('edge connections', () => pools.close());
  const stopFollowing = directory.onChange(() => {
    fleet.follow();
    pools.retain(new Set(fleet.allEndpoints().map((endpoint) => endpoint.url)));
  });
  pod.onShutdown('edges', async () => void stopFollowing());

  const router = new Router({
    fleet,
    pools,
    geoip: new GeoIp(),
    trusted,
    mode: pod.env.QUARTET_ROUTER_MODE,
    strategy: pod.env.QUARTET_ROUTER_STRATEGY,
    purge: purgeApi(pod, fleet),
  });
  let connections = 0;
  const server = createHttpServer((message, response) => router.handle(message, response));
  server.on('connection', (socket) => {
    connections++;
    socket.once('close', () => connections--);
  });
  const port = await listen(server, pod.env.QUARTET_POD_IP, pod.env.QUARTET_PORT ?? servicePorts['edge-router']);
  pod.onShutdown('requests', () => closeServer(server, 4_000));
  pod.heartbeat(() => ({ load: { connections } }));
  pod.health.set('router', true);
  pod.log.info({ port, mode: pod.env.QUARTET_ROUTER_MODE }, 'router listens');
}
