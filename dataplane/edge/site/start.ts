import { fileURLToPath } from 'node:url';
import { servicePorts } from '../../../contract/pod-env.ts';
import type { Pod } from '../../fabric/pod.ts';
import { closeServer, createHttpServer, listen } from '../serve/http-server.ts';
import { loadContent } from './content.ts';
import { Site } from './site.ts';

const contentDirectory = fileURLToPath(new URL('content/', import.meta.url));

/** Starts the sample origin: a small site with the variety of headers that real sites have. */
export async function start(pod: Pod): Promise<void> {
  const site = new Site(await loadContent(contentDirectory));
  const server = createHttpServer((message, response) => site.handle(message, response));
  const port = await listen(server, pod.env.QUARTET_POD_IP, pod.env.QUARTET_PORT ?? servicePorts.site);
  pod.onShutdown('requests', () => closeServer(server, 4_000));
  pod.health.set('site', true);
  pod.log.info({ port }, 'site listens');
}
