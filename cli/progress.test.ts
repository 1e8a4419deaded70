import { describe, expect, it } from 'vitest';
import { Progress } from './progress.ts';

const recorded = (isTTY: boolean) => {
  const parts: string[] = [];
  const out = { isTTY, columns: 30, write: (text: string) => parts.push(text) };
  return { progress: new Progress(out, 0), text: () => parts.join('') };
};

describe('progress', () => {
  it('is a line per step where nobody watches', () => {
    const { progress, text } = recorded(false);
    progress.step('tools');
    progress.step('nodes');
    progress.done();
    expect(text().replaceAll(/[\d.]+ s/g, 'T')).toBe('  ✓  tools  T\n  ✓  nodes  T\n');
  });

  it('says a detail once', () => {
    const { progress, text } = recorded(false);
    progress.step('resources');
    progress.detail('1 of 2');
    progress.detail('1 of 2');
    progress.detail('2 of 2');
    expect(text()).toBe('  ·  resources: 1 of 2\n  ·  resources: 2 of 2\n');
  });

  it('rewrites one line on a terminal and never wraps it', () => {
    const { progress, text } = recorded(true);
    progress.step('resources');
    progress.detail('x'.repeat(100));
    const lines = text().split('\r\u001B[2K');
    expect(Math.max(...lines.map((line) => line.length))).toBe(29);
    expect(text()).not.toContain('\n');
  });

  it('marks the step that failed', () => {
    const { progress, text } = recorded(false);
    progress.step('chart');
    progress.failed();
    expect(text()).toBe('  ✗  chart\n');
  });
});
