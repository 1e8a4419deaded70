import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentHash } from '../kind/cache.ts';
import { imageId } from '../kind/docker.ts';
import { KindError } from '../kind/kind-error.ts';
import { run, succeeds } from '../kind/run.ts';

/** Debian's release, as in `debian:bookworm-slim`. */
const release = 'bookworm';
const withoutPages = ['doc', 'locale', 'man', 'info', 'zoneinfo'].map(
  (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
);

/** Systems without a registry: `node` can install packages, `image` is only what Node.js needs, and a shell. */
const variants = {
  node: ['--variant=minbase'],
  image: [
    '--variant=essential',
    '--include=libstdc++6,usr-is-merged',
    '--customize-hook=rm -rf "$1"/usr/lib/x86_64-linux-gnu/gconv "$1"/usr/share/perl* "$1"/usr/lib/x86_64-linux-gnu/perl*',
  ],
} as const;

/** The mirror that this computer's apt uses. */
const mirror = async (): Promise<string> => {
  const sites = await run('apt-get', ['indextargets', '--format', '$(SITE)']);
  return sites.split('\n')[0] || 'http://deb.debian.org/debian';
};

const ensureMmdebstrap = async (): Promise<void> => {
  if (await succeeds('mmdebstrap', ['--version'])) return;
  if (process.getuid?.() !== 0 || !(await succeeds('apt-get', ['--version']))) {
    throw new KindError(
      'build-failed',
      'without a container registry images need mmdebstrap: install it, then try again',
    );
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { env, timeoutMs: 300_000 });
  await run('apt-get', ['install', '-qy', '--no-install-recommends', 'mmdebstrap'], { env, timeoutMs: 300_000 });
};

/**
 * A Debian made of packages, as a Docker image named by what it is made of.
 * @returns its tag
 * @throws KindError `build-failed`
 */
export const debianImage = async (variant: keyof typeof variants): Promise<string> => {
  const options = [...variants[variant], ...withoutPages];
  const tag = `quartet-debian-${variant}:${await contentHash('', [], [release, ...options])}`;
  if ((await imageId(tag)) !== undefined) return tag;
  await ensureMmdebstrap();
  const folder = await mkdtemp(join(tmpdir(), 'quartet-debian-'));
  const file = join(folder, 'debian.tar');
  try {
    await run('mmdebstrap', [...options, release, file, await mirror()], { timeoutMs: 600_000 });
    await run('docker', ['import', file, tag], { timeoutMs: 120_000 });
  } catch (error) {
    throw new KindError('build-failed', `a Debian cannot be made of packages: ${(error as Error).message}`, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return tag;
};
