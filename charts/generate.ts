/**
 * Writes what the charts take from the sources: `node charts/generate.ts`. A test fails when it is stale.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deniedPublish, natsPermissions } from '../contract/permissions.ts';

/** The generated files: path from the root of the repository, and content. */
export const generatedFiles = (): Map<string, string> =>
  new Map([
    [
      'charts/quartet/files/nats-permissions.json',
      `${JSON.stringify({ users: natsPermissions, deniedPublish }, null, 2)}\n`,
    ],
  ]);

if (import.meta.main) {
  for (const [path, content] of generatedFiles()) writeFileSync(join(import.meta.dirname, '..', path), content);
}
