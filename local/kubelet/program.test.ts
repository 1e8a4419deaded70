import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canRun, imageName, programOf, programs, repository } from './program.ts';

const node = join(programs, 'node');

describe('image names', () => {
  it.each([
    ['quartet', 'quartet'],
    ['quartet:0.1.0', 'quartet'],
    ['registry.example:5000/team/quartet:v1', 'quartet'],
    ['team/quartet@sha256:abc', 'quartet'],
    ['nginx:1', 'nginx'],
  ])('%s is %s', (image, name) => {
    expect(imageName(image)).toBe(name);
  });

  it('runs quartet and nothing else', () => {
    expect(canRun('ghcr.io/x/quartet:1')).toBe(true);
    expect(canRun('quartet-tools:1')).toBe(false);
  });
});

describe('the process of a container', () => {
  const container = { name: 'main', image: 'quartet' };
  const mounts = [{ mountPath: '/data', directory: '/pv' }];

  it('gives arguments to Node where there is no command', () => {
    const program = programOf({ ...container, args: ['dataplane/main.ts', 'db'] }, {}, []);
    expect(program).toEqual({ command: node, args: ['dataplane/main.ts', 'db'], cwd: repository, env: {} });
  });

  it('runs our Node 24 for the command node, whatever PATH says', () => {
    expect(programOf({ ...container, command: ['node', 'a.ts'], args: ['b'] }, {}, [])).toMatchObject({
      command: node,
      args: ['a.ts', 'b'],
    });
  });

  it('expands variables first, then makes mount paths real', () => {
    const program = programOf({ ...container, args: ['--dir=$(DIR)/db'] }, { DIR: '/data' }, mounts);
    expect(program.args).toEqual(['--dir=/pv/db']);
    expect(program.env).toEqual({ DIR: '/pv' });
  });

  it('runs another program and directory when asked', () => {
    const program = programOf({ ...container, command: ['sh', '-c', 'ls'], workingDir: '/data' }, {}, mounts);
    expect(program).toMatchObject({ command: 'sh', args: ['-c', 'ls'], cwd: '/pv' });
  });
});
