import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFrame } from './frame.ts';

const line = fc.oneof(
  fc.record({ id: fc.integer({ min: 1, max: 0xffff_ffff }), ping: fc.constant({}) }),
  fc.record({
    id: fc.integer({ min: 1, max: 999 }),
    publish: fc.record({ channel: fc.constant('c'), data: fc.jsonValue() }),
  }),
  fc.constant({}),
);

describe('a frame', () => {
  it('gives back the commands that were batched into it, in order, blank lines or not', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('\n', '\n\n', '\r\n', ' \n'),
        (commands, separator) => {
          const parsed = parseFrame(commands.map((each) => JSON.stringify(each)).join(separator), 20);
          const seen = parsed.ok ? parsed.lines.map((each) => (each.kind === 'command' ? each.command.id : 0)) : null;
          expect(seen).toEqual(commands.map((each) => ('id' in each ? each.id : 0)));
        },
      ),
    );
  });

  it('is refused as a whole when one line is malformed', () => {
    expect(parseFrame('{"id":1,"ping":{}}\nnonsense', 10)).toMatchObject({ ok: false });
  });

  it('is refused when it is empty', () => {
    for (const text of ['', '\n', ' \n ']) expect(parseFrame(text, 10).ok).toBe(false);
  });

  it('is refused when it holds too many commands', () => {
    const text = Array.from({ length: 4 }, (_, i) => `{"id":${i + 1},"ping":{}}`).join('\n');
    expect(parseFrame(text, 4).ok).toBe(true);
    expect(parseFrame(text, 3)).toEqual({ ok: false, detail: 'more than 3 commands in one frame' });
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json()), (text) => {
        expect(typeof parseFrame(text, 8).ok).toBe('boolean');
      }),
    );
  });
});
