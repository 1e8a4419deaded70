import { execFile, execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const megabyte = Buffer.alloc(1024 * 1024, 1);

/** Whether this process may mount: only then can a disk be small enough to be filled, or be stopped. */
export const canMount = process.getuid?.() === 0 && existsSync('/dev/loop-control');

/** What is mounted ends with this process, if it ends in a way that it can notice. */
const mounted = new Set<SmallDisk>();
process.once('exit', () => mounted.forEach((disk) => disk.unmount()));

/** A file system of its own, in a file: it can be filled to the last block, and be frozen, when each write hangs. */
export class SmallDisk {
  readonly dir: string;
  #frozen = false;

  /** Makes it and mounts it at `dir`. @param megabytes its size */
  constructor(dir: string, megabytes: number) {
    this.dir = dir;
    mkdirSync(dir, { recursive: true });
    const image = `${dir}.ext4`;
    writeFileSync(image, '');
    truncateSync(image, megabytes * megabyte.length);
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
    execFileSync('mount', ['-o', 'loop', image, dir]);
    mounted.add(this);
  }

  /** Leaves no free block. */
  fill(): void {
    const file = openSync(join(this.dir, 'ballast'), 'a');
    try {
      for (const size of [megabyte.length, 4096]) this.#append(file, size);
    } finally {
      closeSync(file);
    }
  }

  #append(file: number, size: number): void {
    try {
      while (writeSync(file, megabyte, 0, size) === size);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  free(): void {
    rmSync(join(this.dir, 'ballast'), { force: true });
  }

  /** Lets every write wait. Resolves once it is so. */
  async freeze(): Promise<void> {
    if (this.#frozen) return;
    this.#frozen = true;
    await promisify(execFile)('fsfreeze', ['--freeze', this.dir]);
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    execFileSync('fsfreeze', ['--unfreeze', this.dir]);
  }

  unmount(): void {
    this.thaw();
    if (mounted.delete(this)) execFileSync('umount', ['-l', this.dir]);
  }
}
