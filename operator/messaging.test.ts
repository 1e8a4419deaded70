import { describe, expect, it } from 'vitest';
import type { LogView } from './logs.ts';
import { judgeLog } from './messaging.ts';

const present = (over: { created?: string; owner?: string | null } = {}): LogView => ({
  state: 'present',
  stream: 'S',
  created: 'monday',
  owner: 'uid-1',
  ...over,
});
const recorded = { stream: 'S', created: 'monday' };

describe('the log of a resource', () => {
  it('is not judged before the streams were listed', () => {
    expect(judgeLog({ state: 'unknown' }, recorded, 'uid-1')).toEqual({ type: 'wait' });
  });
  it('is made when there is none and none was recorded', () => {
    expect(judgeLog({ state: 'missing' }, undefined, 'uid-1')).toEqual({ type: 'create' });
  });
  it('is adopted when it was made for this resource by an operator that died before it could record it', () => {
    expect(judgeLog(present(), undefined, 'uid-1').type).toBe('adopt');
  });
  it('is not adopted when it was made for another resource of the name', () => {
    expect(judgeLog(present({ owner: 'uid-0' }), undefined, 'uid-1').type).toBe('foreign');
    expect(judgeLog(present({ owner: null }), undefined, 'uid-1').type).toBe('foreign');
  });
  it('is good when it is the one that was recorded', () => {
    expect(judgeLog(present(), recorded, 'uid-1').type).toBe('good');
  });
  it('is lost when it is gone: it is never made again', () => {
    expect(judgeLog({ state: 'missing' }, recorded, 'uid-1')).toMatchObject({
      type: 'lost',
      message: /is gone: restore/,
    });
  });
  it('is lost when it was made anew: that would be a shorter history', () => {
    const verdict = judgeLog(present({ created: 'tuesday' }), recorded, 'uid-1');
    expect(verdict).toMatchObject({ type: 'lost', message: /made anew at tuesday/ });
  });
});
