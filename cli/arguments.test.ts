import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCommandLine } from './arguments.ts';

const read = (line: string, env: Record<string, string> = {}) => readCommandLine(line.split(' ').filter(Boolean), env);

describe('command line', () => {
  it('without words asks for help', () => {
    expect(read('').command).toBe('help');
    expect(read('up --help').command).toBe('help');
  });

  it('has flags anywhere', () => {
    expect(read('--nodes 4 up --nats=3 --no-samples')).toMatchObject({
      command: 'up',
      nodes: 4,
      nats: 3,
      samples: false,
    });
  });

  it('takes NATS and QUARTET_STATE from the environment, where flags do not say otherwise', () => {
    expect(read('up', { NATS: '3', QUARTET_STATE: '/x' })).toMatchObject({
      nats: 3,
      stateDir: '/x',
      isDefaultState: false,
    });
    expect(read('up --nats 1 --state /y', { NATS: '3', QUARTET_STATE: '/x' })).toMatchObject({
      nats: 1,
      stateDir: '/y',
    });
  });

  it('knows the default instance however it is named', () => {
    expect(read('status')).toMatchObject({ isDefaultState: true });
    expect(read(`status --state ${join(import.meta.dirname, '..', '.quartet')}`)).toMatchObject({
      isDefaultState: true,
    });
  });

  it('says where and how a shard is split', () => {
    expect(read('split app-a --at g --name new -n shop --timeout 1m30s --kubeconfig /k')).toMatchObject({
      command: 'split',
      words: ['app-a'],
      at: 'g',
      name: 'new',
      namespace: 'shop',
      timeoutMs: 90_000,
      kubeconfig: '/k',
    });
    expect(read('split app-a')).toMatchObject({ namespace: 'default', at: undefined, timeoutMs: undefined });
  });

  it('says what a shard is merged into', () => {
    expect(read('merge app-b --into app-a --keep')).toMatchObject({ words: ['app-b'], into: 'app-a', keep: true });
    expect(read('merge --cancel app-b')).toMatchObject({ words: ['app-b'], cancel: true, keep: false });
    expect(() => read('merge app-b --into=')).toThrow(/--into is empty/);
  });

  it('gives help about one command', () => {
    expect(read('split --help')).toMatchObject({ command: 'help', words: ['split'] });
  });

  it('leaves everything after backup and restore alone', () => {
    const asked = read('--state /x backup app --to /somewhere --keep 3 --namespace ns');
    expect(asked).toMatchObject({ command: 'backup', stateDir: '/x' });
    expect(asked.words).toEqual(['app', '--to', '/somewhere', '--keep', '3', '--namespace', 'ns']);
    expect(read('restore --from d --check --help')).toMatchObject({
      command: 'restore',
      words: ['--from', 'd', '--check', '--help'],
    });
    expect(read('--state backup status').command).toBe('status');
  });

  it('leaves everything after kubectl alone', () => {
    expect(read('--state /x kubectl get pods -o wide --nodes a --help')).toMatchObject({
      command: 'kubectl',
      words: ['get', 'pods', '-o', 'wide', '--nodes', 'a', '--help'],
      stateDir: '/x',
    });
  });

  it('does not take a pod of that name for the command', () => {
    expect(read('kill pod kubectl')).toMatchObject({ command: 'kill', words: ['pod', 'kubectl'] });
  });

  it.each([
    ['up --nodes 0', '--nodes 0: must be a whole number from 1 to 26'],
    ['up --nodes many', '--nodes many: must be a whole number from 1 to 26'],
    ['up --nats 2', '--nats 2: must be 1 or 3'],
    ['up --address 0.0.0.0', '--address 0.0.0.0: must be a loopback address, such as 127.0.0.2'],
    ['split a --timeout soon', '--timeout soon: must be a duration, such as 90s or 10m'],
    ['split a --at=', '--at is empty: leave it out, or say which'],
    ['up --speed 9', "Unknown option '--speed': `./quartet help` lists what there is"],
  ])('%s is refused in one line', (line, message) => {
    expect(() => read(line)).toThrow(expect.objectContaining({ code: 'invalid', message }));
  });
});
