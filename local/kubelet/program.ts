import { join } from 'node:path';
import type { Container } from '../api/objects.ts';
import { expand } from './environment.ts';
import { withRealPaths, type Mount } from './mounts.ts';

/** Root of this checkout: what the quartet image holds. */
export const repository = join(import.meta.dirname, '..', '..');
/** The folder with Node 24. */
export const programs = join(repository, 'node_modules', '.bin');

/** A process to start. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The name of an image without registry, organisation, tag and digest. */
export const imageName = (image: string): string => {
  const last = image.split('@')[0]?.split('/').at(-1) ?? '';
  return last.split(':')[0] ?? '';
};

/** Whether there is a program for an image: only Quartet's own, which is this checkout run by Node 24. */
export const canRun = (image: string): boolean => imageName(image) === 'quartet';

/**
 * The process for a container: command and args as Kubernetes reads them (`command` replaces the entry point `node`), with
 * variables expanded and mount paths made real.
 */
export const programOf = (
  container: Container,
  variables: Readonly<Record<string, string>>,
  mounts: readonly Mount[],
): Program => {
  const real = (text: string): string => withRealPaths(expand(text, variables), mounts);
  const [name = 'node', ...rest] = (container.command ?? ['node']).map(real);
  return {
    command: name === 'node' ? join(programs, 'node') : name,
    args: [...rest, ...(container.args ?? []).map(real)],
    cwd: container.workingDir === undefined ? repository : real(container.workingDir),
    env: Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, withRealPaths(value, mounts)])),
  };
};
