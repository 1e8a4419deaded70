import { expect, test } from 'vitest';
import { rebuildsBefore, type NodeRebuild } from './rebuild-turn.ts';

const waiting = (pod: string): NodeRebuild => ({ pod, stage: 'waiting' });
const copying = (pod: string): NodeRebuild => ({ pod, stage: 'copying' });

test.each([
  ['alone on its node', [], null],
  ['one that copies goes on, whatever its name', [copying('z')], 'z'],
  ['of two that wait the lower name goes first', [waiting('a')], 'a'],
  ['its own turn among those that wait', [waiting('n'), waiting('z')], null],
  ['a copy before one that waits', [waiting('a'), copying('z')], 'z'],
])('%s', (_name, others, first) => {
  expect(rebuildsBefore('m', others)).toBe(first);
});
