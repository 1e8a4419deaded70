import { describe, expect, it } from 'vitest';
import type { MovePhase, MoveStatus } from '../crds/replica-set.ts';
import { moveNews, wantedMove, type ReplicaSetView } from './move-watch.ts';

const set = (wish: string | undefined, phase?: MovePhase, replica = 'r2'): ReplicaSetView => ({
  metadata: { name: 'app', ...(wish !== undefined && { annotations: { 'quartet.dev/move': wish } }) },
  status: {
    ...(phase && { move: { replica, phase, message: `it is ${phase}`, replacement: 'r3' } as MoveStatus }),
    members: [{ pod: 'r3', message: 'rebuild: copying, 3.0 MB so far' }],
  },
});

describe('what is seen of a move', () => {
  it('before the operator has seen it, also when an earlier one was refused', () => {
    const unseen = { type: 'goes-on', phase: 'Waiting', detail: 'the operator has not seen it yet' };
    expect(moveNews(set('r2 to node-d'), 'r2')).toEqual(unseen);
    expect(moveNews(set('r2 to node-d', 'Refused'), 'r2')).toEqual(unseen);
    expect(moveNews(set('r2', 'Copying', 'r1'), 'r2')).toEqual(unseen);
  });

  it('while it goes on: with what the new replica says of its copy', () => {
    expect(moveNews(set('r2', 'Copying'), 'r2')).toEqual({
      type: 'goes-on',
      phase: 'Copying',
      detail: 'it is Copying (rebuild: copying, 3.0 MB so far)',
    });
  });

  it('when it is over', () => {
    expect(moveNews(set(undefined, 'Moved'), 'r2')).toEqual({ type: 'moved', text: 'it is Moved' });
    expect(moveNews(set(undefined, 'Refused'), 'r2')).toEqual({ type: 'not-moved', why: 'it is Refused' });
    expect(moveNews(set(undefined, 'GivenUp'), 'r2')).toEqual({ type: 'not-moved', why: 'it is GivenUp' });
    expect(moveNews(set(undefined), 'r2')).toEqual({ type: 'not-moved', why: 'the wish for it was taken back' });
  });
});

it('the wish for a move is read as the operator reads it', () => {
  expect(wantedMove(set('r2 to node-d'))).toEqual({ replica: 'r2', to: 'node-d' });
  expect(wantedMove(set(undefined))).toBeUndefined();
});
