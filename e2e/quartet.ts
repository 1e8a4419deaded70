import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { Resources, type Endpoints } from './resources.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');

/** One Quartet on this computer with its own state, started and used through the `quartet` command alone. */
export class Quartet extends Resources {
  readonly stateDir: string;

  constructor(stateDir: string, endpoints: Endpoints) {
    super((...args) => Quartet.#command(stateDir, ['kubectl', ...args], 60_000), endpoints);
    this.stateDir = stateDir;
  }

  /** `quartet up` with an own state directory and loopback address; resolves when all samples are Ready. */
  static async up(address: string, ...flags: string[]): Promise<Quartet> {
    const stateDir = await mkdtemp(join(tmpdir(), 'quartet-e2e-'));
    await Quartet.#command(stateDir, ['up', '--address', address, ...flags], 400_000);
    return Quartet.at(stateDir, address);
  }

  /** One that is up. */
  static at(stateDir: string, host: string): Quartet {
    return new Quartet(stateDir, { host, edge: 8080, search: 9200, chat: 8000, database: 6379 });
  }

  static async #command(stateDir: string, args: readonly string[], timeout: number): Promise<string> {
    // first, since kubectl's own arguments are passed on unread
    const { stdout } = await run(join(root, 'quartet'), ['--state', stateDir, ...args], {
      cwd: root,
      timeout,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  /** Runs one `quartet` command. */
  quartet(...args: string[]): Promise<string> {
    return Quartet.#command(this.stateDir, args, 120_000);
  }

  /** Applies one manifest; rejects with what kubectl printed. */
  async apply(manifest: object): Promise<void> {
    const file = join(this.stateDir, `manifest-${Date.now()}.json`);
    await writeFile(file, JSON.stringify(manifest));
    await this.kubectl('apply', '--server-side', '-f', file);
  }

  /** Deletes the state of a Quartet that is down. */
  async forget(): Promise<void> {
    await rm(this.stateDir, { recursive: true, force: true });
  }
}

/** The Quartet that `start.ts` brought up for this test file. */
export const runningQuartet = (): Quartet => new Quartet(inject('stateDir'), inject('endpoints'));

export { eventually } from './eventually.ts';
