import { describe, expect, it, test } from 'vitest';
import type { MoveStatus } from '../../crds/replica-set.ts';
import type { Move } from '../replicas/move.ts';
import { node, replica, view } from '../replicas/testing.ts';
import type { MoveRequest } from '../replicas/view.ts';
import type { ReplicaSet } from './kind.ts';
import { moveConditions, moveNews, moveRequestOf, planMoveStatus, type MoveFacts } from './move.ts';

const annotated = (annotations: Record<string, string>, move?: Partial<MoveStatus>): ReplicaSet =>
  ({ metadata: { name: 'app', annotations }, status: move && { move } }) as unknown as ReplicaSet;

describe('the wish for a move', () => {
  test.each([
    ['r2', { replica: 'r2', to: null }],
    [' r2  to node-1.example.com ', { replica: 'r2', to: 'node-1.example.com' }],
    ['r2 node-d', { replica: '"r2 node-d"', to: null }],
    ['', { replica: '""', to: null }],
  ])('%j is read', (text, expected) => {
    const wish = moveRequestOf(annotated({ 'quartet.dev/move': text }));
    expect(wish).toEqual({ ...expected, why: '', automatic: false, replacement: null });
  });

  it('is none without the annotation, and the operator marks its own', () => {
    expect(moveRequestOf(annotated({ 'quartet.dev/move-for-balance': 'size' }))).toBeNull();
    const own = annotated({ 'quartet.dev/move': 'r2', 'quartet.dev/move-for-balance': 'size' });
    expect(moveRequestOf(own)).toMatchObject({ automatic: true, why: 'size' });
  });

  it('remembers the replica that was made for it, not that of an earlier one', () => {
    const wish = { 'quartet.dev/move': 'r2' };
    const of = (move: Partial<MoveStatus>) => moveRequestOf(annotated(wish, move))?.replacement;
    expect(of({ replica: 'r2', replacement: 'r3', phase: 'Copying' })).toBe('r3');
    expect(of({ replica: 'r2', replacement: 'r3', phase: 'GivenUp' })).toBeNull();
    expect(of({ replica: 'r1', replacement: 'r3', phase: 'Copying' })).toBeNull();
  });
});

const wish: MoveRequest = { replica: 'r2', to: 'node-d', why: 'node-c is full', automatic: true, replacement: null };
const now = Date.parse('2026-11-30T10:00:00.5Z');
const nodes = [node('a'), node('b'), node('c'), node('d')];

const facts = (move: Move | null, over: Partial<MoveFacts> = {}): MoveFacts => ({
  view: view({ nodes, move: wish }),
  move,
  shown: undefined,
  bytes: 500,
  now,
  ...over,
});

const copying: MoveStatus = {
  replica: 'r2',
  from: 'node-c',
  to: 'node-d',
  replacement: 'r3',
  phase: 'Copying',
  reason: 'Copying',
  message: '',
  forBalance: true,
  bytes: 400,
};

describe('the status of a move', () => {
  it('tells from where to where, how far it is, and why', () => {
    const begins = planMoveStatus(
      facts({ type: 'begins', node: 'node-d', message: 'a new replica is made on node-d' }),
    );
    expect(begins).toEqual({
      replica: 'r2',
      from: 'node-c',
      to: 'node-d',
      phase: 'Copying',
      reason: 'Copying',
      message: 'r2 moves from node-c to node-d; a new replica is made on node-d: node-c is full',
      forBalance: true,
      bytes: 500,
    });
    expect(moveConditions(begins)).toMatchObject([{ type: 'Moving', status: true, reason: 'Copying' }]);
  });

  it('keeps the places when the old replica is gone, and says when it was over', () => {
    const after = view({ nodes, move: wish, replicas: [replica(3, 'd', { replaces: 'r2' })] });
    const moved: Move = { type: 'moved', replacement: 'r3', message: 'it is r3 on node-d' };
    const status = planMoveStatus(facts(moved, { view: after, shown: copying }));
    expect(status).toMatchObject({ phase: 'Moved', from: 'node-c', bytes: 400, ended: '2026-11-30T10:00:00Z' });
    expect(status?.message).toBe('moved r2 from node-c to node-d, where it is r3 on node-d: node-c is full');
    expect(moveConditions(status)).toMatchObject([{ status: false, reason: 'Moved' }]);
    // seen once more before its annotation is gone: nothing is new
    expect(planMoveStatus(facts(moved, { view: after, shown: status, now: now + 5_000 }))).toBe(status);
    expect(planMoveStatus(facts({ type: 'none' }, { view: view(), shown: status }))).toBe(status);
  });

  it('of one that was refused has the reason for programs', () => {
    const refused: Move = { type: 'refused', reason: 'NoSuchNode', message: 'there is no node node-d' };
    const status = planMoveStatus(facts(refused));
    expect(status).toMatchObject({
      phase: 'Refused',
      reason: 'NoSuchNode',
      message: 'r2 is not moved: there is no node node-d',
    });
    expect(moveConditions(status)).toMatchObject([{ status: false, reason: 'NoSuchNode' }]);
  });

  it('of one whose annotation was taken away says so, but not while nothing may be decided', () => {
    const withdrawn = planMoveStatus(facts({ type: 'none' }, { view: view(), shown: copying }));
    expect(withdrawn).toMatchObject({ phase: 'GivenUp', reason: 'Withdrawn', ended: '2026-11-30T10:00:00Z' });
    expect(planMoveStatus(facts(null, { shown: copying }))).toBe(copying);
  });
});

test('events tell of a move when it begins and how it ends, once', () => {
  const over = (phase: MoveStatus['phase']): MoveStatus => ({ ...copying, phase, ended: 'now', message: phase });
  const reason = (before: MoveStatus | undefined, after: MoveStatus) => moveNews(before, after)?.reason ?? null;
  expect(reason(undefined, copying)).toBe('MoveBegun');
  expect(reason(copying, copying)).toBeNull();
  expect(reason(copying, { ...copying, phase: 'Replacing' })).toBeNull();
  expect(reason(copying, over('Moved'))).toBe('Moved');
  expect(reason(over('Moved'), over('Moved'))).toBeNull();
  expect(moveNews(undefined, over('Refused'))).toMatchObject({ type: 'Warning', reason: 'MoveRefused' });
  expect(moveNews(copying, over('GivenUp'))).toMatchObject({ type: 'Warning', reason: 'MoveGivenUp' });
});
