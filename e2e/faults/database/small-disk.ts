import { execFileSync } from 'node:child_process';
import { mkdirSync, openSync, closeSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const megabyte = Buffer.alloc(1024 * 1024, 1);

/** Whether this process may mount: only then can a disk be small enough to be filled. */
export const canMount = process.getuid?.() === 0;

/** What is mounted ends with this process, if it ends in a way that it can notice. */
const mounted = new Set<SmallDisk>();
process.once('exit', () => mounted.forEach((disk) => disk.unmount()));

/** A file system of its own in memory, which can be filled to the last block. */
export class SmallDisk {
  readonly dir: string;

  /** Mounts it at `dir`. @param megabytes its size */
  constructor(dir: string, megabytes: number) {
    this.dir = dir;
    mkdirSync(dir, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'quartet-fault-test', dir]);
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

  unmount(): void {
    if (mounted.delete(this)) execFileSync('umount', ['-l', this.dir]);
  }
}
