import { describe, expect, it } from 'vitest';
import { LoadMeter } from './load-meter.ts';

describe('load', () => {
  it('is that of the last whole seconds', () => {
    const meter = new LoadMeter();
    for (let second = 0; second < 5; second++) {
      for (let i = 0; i < 10; i++) meter.count(second * 1000 + i, i < 8, 125_000);
    }
    expect(meter.figures(5000)).toEqual({ requestsPerSecond: 10, mbitPerSecond: 10, hitRate: 0.8 });
    expect(meter.figures(8000).requestsPerSecond).toBe(4);
    expect(meter.figures(60_000)).toEqual({ requestsPerSecond: 0, mbitPerSecond: 0, hitRate: 0 });
    expect(meter.totals).toEqual({ requests: 50, hits: 40 });
  });
});
