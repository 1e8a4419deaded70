import { cp, link, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { contentHash } from '../kind/cache.ts';
import { buildImage, imageId } from '../kind/docker.ts';
import type { ImageSource } from '../kind/registry.ts';
import { run } from '../kind/run.ts';
import { debianImage } from './system.ts';

const repository = join(import.meta.dirname, '..', '..');
/** What the image is made of; tests in these folders change its name though not its content, which costs a build. */
const sources = 'Dockerfile .dockerignore package.json package-lock.json contract crds operator dataplane'.split(' ');

/** An image by its parts, as the chart's values have them. */
export interface ImageName {
  readonly repository: string;
  readonly tag: string;
}

/** `quartet:0.1.0-1a2b3c4d5e6f`. Pure. */
export const nameOf = ({ repository, tag }: ImageName): string => `${repository}:${tag}`;

const versionHere = async (): Promise<string> => {
  const text = await readFile(join(repository, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
};

/**
 * What stands in for `node:24-bookworm-slim` without a registry: Debian, the Node.js and npm of npm packages, and the
 * certificates that this computer trusts, as its way to the registry of npm may need them. Nothing but Node.js is taken
 * from it into the image.
 */
const nodeImage = async (): Promise<string> => {
  const node = join(repository, 'node_modules', 'node', 'bin', 'node');
  // …/npm/bin/npm-cli.js: where this computer's npm is, whatever Node.js runs it
  const npm = dirname(dirname(await realpath((await run('sh', ['-c', 'command -v npm'])).trim())));
  const versions = `${await run(node, ['--version'])} ${await run('npm', ['--version'])}`;
  const recipe = await readFile(join(import.meta.dirname, 'node.Dockerfile'), 'utf8');
  const certificates = process.env['NODE_EXTRA_CA_CERTS'] ?? '/etc/ssl/certs/ca-certificates.crt';
  const trusted = await contentHash('', [certificates]);
  const system = await debianImage('node');
  const tag = `quartet-node24:${await contentHash('', [], [recipe, versions, trusted, system])}`;
  if ((await imageId(tag)) !== undefined) return tag;
  const context = await mkdtemp(join(tmpdir(), 'quartet-node24-'));
  try {
    await link(node, join(context, 'node')).catch(() => cp(node, join(context, 'node')));
    await cp(npm, join(context, 'npm'), { recursive: true, dereference: true });
    await cp(certificates, join(context, 'certificates.crt'), { dereference: true });
    const file = join(import.meta.dirname, 'node.Dockerfile');
    await buildImage({ tag, context, file, args: { SYSTEM: system } });
    return tag;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
};

/** Base images by build argument: those of the Dockerfile come from the registry. */
const baseArguments = async (source: ImageSource): Promise<Readonly<Record<string, string>>> =>
  source === 'registry' ? {} : { BASE: await nodeImage(), SYSTEM: await debianImage('image') };

/**
 * Builds Quartet's image from this checkout. Its tag is the version and a hash of what goes in, so an upgrade to other code
 * is a change of the chart's values and rolls.
 * @throws KindError `build-failed`
 */
export const buildQuartetImage = async (
  source: ImageSource,
  given: Readonly<Record<string, string>> = {},
): Promise<ImageName> => {
  const version = await versionHere();
  const args = { ...(await baseArguments(source)), ...given };
  const hash = await contentHash(repository, sources, [JSON.stringify(args)]);
  const image = { repository: 'quartet', tag: `${version}-${hash}` };
  if ((await imageId(nameOf(image))) === undefined) {
    await buildImage({ tag: nameOf(image), context: repository, args: { ...args, VERSION: image.tag } });
  }
  return image;
};

/** Bytes of an image without compression. */
export const imageSize = async (name: string): Promise<number> =>
  Number(await run('docker', ['image', 'inspect', '--format', '{{.Size}}', name]));
