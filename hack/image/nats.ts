import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { tool } from '../../local/tools.ts';
import { contentHash } from '../kind/cache.ts';
import { buildImage, imageId } from '../kind/docker.ts';
import { run } from '../kind/run.ts';
import { debianImage } from './system.ts';

const values = join(import.meta.dirname, '..', '..', 'charts', 'quartet', 'values.yaml');
const schema = z.object({ nats: z.object({ image: z.object({ repository: z.string(), tag: z.string() }) }) });

/** The image of NATS that the chart asks for. */
export const natsImageName = async (): Promise<string> => {
  const { nats } = schema.parse(parse(await readFile(values, 'utf8')));
  return `${nats.image.repository}:${nats.image.tag}`;
};

const recipe = [
  'ARG SYSTEM',
  'FROM ${SYSTEM}',
  'COPY nats-server /usr/local/bin/',
  'USER 1000:1000',
  'ENTRYPOINT ["nats-server"]',
  'CMD ["--js"]',
].join('\n');

/**
 * An image with the nats-server that was built from its Go module, for clusters without a registry. It is loaded under the
 * name that the chart asks for, though its system is Debian and its version that of hack/tools.
 * @returns its own tag
 * @throws KindError `build-failed`
 */
export const buildNatsImage = async (): Promise<string> => {
  const server = await tool('nats-server');
  const system = await debianImage('image');
  const version = await run(server, ['--version']);
  const tag = `quartet-nats:${await contentHash('', [], [recipe, version, system])}`;
  if ((await imageId(tag)) !== undefined) return tag;
  const context = await mkdtemp(join(tmpdir(), 'quartet-nats-'));
  try {
    await cp(server, join(context, 'nats-server'), { dereference: true });
    await writeFile(join(context, 'Dockerfile'), recipe);
    await buildImage({ tag, context, args: { SYSTEM: system } });
    return tag;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
};
