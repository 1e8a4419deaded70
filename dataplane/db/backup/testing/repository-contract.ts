import { expect, test } from 'vitest';
import { BackupError } from '../backup-error.ts';
import type { Repository } from '../repository/repository.ts';

const code = (error: unknown): string => (error instanceof BackupError ? error.code : String(error));

/** What every place of backups promises. `open` answers an empty one each time. */
export const repositoryContract = (open: () => Promise<Repository>): void => {
  test('a file is read as it was written, and may be replaced', async () => {
    const repository = await open();
    await repository.write('a/b/file.zst', Buffer.from('one'));
    await repository.write('a/b/file.zst', Buffer.from('two'));
    expect((await repository.read('a/b/file.zst', 100))?.toString()).toBe('two');
  });

  test('a file of some megabytes, and one of no bytes', async () => {
    const repository = await open();
    const large = Buffer.alloc(9_000_000, 7);
    await repository.write('large', large);
    await repository.write('none', Buffer.alloc(0));
    expect((await repository.read('large', 10_000_000))?.equals(large)).toBe(true);
    expect((await repository.read('none', 10))?.length).toBe(0);
  });

  test('a file that is missing is null; so it is in a place that was never written to', async () => {
    const repository = await open();
    expect(await repository.read('a/none', 100)).toBe(null);
    await repository.write('a/some', Buffer.from('x'));
    expect(await repository.read('a/none', 100)).toBe(null);
  });

  test('a file that is larger than it may be is not read', async () => {
    const repository = await open();
    await repository.write('large', Buffer.alloc(1_000_000));
    expect(await repository.read('large', 1_000).catch(code)).toBe('damaged');
  });

  test('files are listed in order, all or those of a folder', async () => {
    const repository = await open();
    expect(await repository.list('')).toEqual([]);
    for (const path of ['b/2', 'a/1', 'b-/3', 'b/c/4']) await repository.write(path, Buffer.from('x'));
    expect(await repository.list('')).toEqual(['a/1', 'b-/3', 'b/2', 'b/c/4']);
    expect(await repository.list('b')).toEqual(['b/2', 'b/c/4']);
    expect(await repository.list('none')).toEqual([]);
  });

  test('a file that is removed is gone, and may be removed again', async () => {
    const repository = await open();
    await repository.write('a/1', Buffer.from('x'));
    await repository.write('b/2', Buffer.from('x'));
    await repository.remove('a/1');
    await repository.remove('a/1');
    expect(await repository.list('')).toEqual(['b/2']);
  });

  test('a folder is removed with all that is below it, and nothing beside it', async () => {
    const repository = await open();
    for (const path of ['a/1', 'a/b/2', 'a-/3', 'c/4']) await repository.write(path, Buffer.from('x'));
    await repository.removeAll('a');
    await repository.removeAll('a');
    expect(await repository.list('')).toEqual(['a-/3', 'c/4']);
  });

  test.each(['../evil', '/absolute', 'a/../../evil', 'a//b', ''])('the path %j is refused', async (path) => {
    const repository = await open();
    expect(await repository.write(path, Buffer.from('x')).catch(code)).toBe('invalid');
    expect(await repository.read(path, 10).catch(code)).toBe('invalid');
    expect(await repository.remove(path).catch(code)).toBe('invalid');
    expect(await repository.removeAll(path).catch(code)).toBe('invalid');
  });
};
