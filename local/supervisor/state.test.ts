import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readInstance, settleInstance, socketPath } from './state.ts';

describe('state directory', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quartet-state-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));
  const content = (text: string) => writeFile(join(dir, 'instance.json'), text);

  it('is new when it is empty or missing', async () => {
    expect(await readInstance(dir)).toBeUndefined();
    expect(await readInstance(join(dir, 'nope'))).toBeUndefined();
  });

  it('says what to do with one of another version', async () => {
    await content('{"layout":0}');
    await expect(readInstance(dir)).rejects.toMatchObject({
      code: 'stale-state',
      message: expect.stringMatching(/layout 0, this is 1\): remove .*, or say --state/),
    });
  });

  it.each([
    ['half-written', '{"layout":1,"blo'],
    ['incomplete', '{"layout":1}'],
    ['of another shape', 'null'],
  ])('says what to do with one that is %s', async (_name, text) => {
    await content(text);
    await expect(readInstance(dir)).rejects.toMatchObject({ code: 'stale-state' });
  });

  it('keeps what it is over starts: block, address, number of NATS servers', async () => {
    const first = await settleInstance(dir, { isDefault: false, nodes: 4, natsServers: 3 });
    const second = await settleInstance(dir, { isDefault: false, nodes: 3, natsServers: 1 });
    expect(second).toMatchObject({ block: first.block, publicHost: first.publicHost, nodes: 4, natsServers: 3 });
    expect(JSON.parse(await readFile(join(dir, 'instance.json'), 'utf8'))).toEqual(second);
  });

  it('refuses to make a cluster of data of one server', async () => {
    await settleInstance(dir, { isDefault: false });
    await expect(settleInstance(dir, { isDefault: false, natsServers: 3 })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('has a socket path that is short enough for the kernel', () => {
    expect(socketPath('/home/x/.quartet')).toBe('/home/x/.quartet/control.sock');
    expect(Buffer.byteLength(socketPath(`/${'deep/'.repeat(30)}`))).toBeLessThan(108);
  });
});
