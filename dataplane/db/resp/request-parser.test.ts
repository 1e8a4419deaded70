import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maxRequestBytes, maxValueBytes } from '../limits.ts';
import { encodeCommand } from './frame.ts';
import { RequestParser } from './request-parser.ts';

/** Everything a parser says about bytes that come in these pieces. */
const parse = (pieces: readonly Buffer[]): { steps: (string[] | string)[]; held: number } => {
  const parser = new RequestParser();
  const steps: (string[] | string)[] = [];
  let held = 0;
  for (const piece of pieces) {
    parser.push(piece);
    for (let step = parser.next(); step !== 'more'; step = parser.next()) {
      if (step === 'command') {
        const { frame } = parser;
        steps.push(Array.from({ length: frame.count }, (_, i) => frame.key(i)));
      } else steps.push(`${step}: ${parser.reason}`);
      if (step === 'broken') return { steps, held };
    }
    held = Math.max(held, parser.held);
  }
  return { steps, held };
};

const bytewise = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

const cases: readonly [name: string, input: string, steps: (string[] | string)[]][] = [
  ['an array of bulk strings', '*2\r\n$3\r\nGET\r\n$1\r\na\r\n', [['GET', 'a']]],
  ['commands one after another', '*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n', [['PING'], ['QUIT']]],
  ['an empty argument', '*2\r\n$4\r\nECHO\r\n$0\r\n\r\n', [['ECHO', '']]],
  ['line breaks in an argument', '*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\r\n\r\n', [['ECHO', '\r\n\r\n']]],
  ['empty and null arrays are skipped', '*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n', [['PING']]],
  ['an inline command', 'PING\r\n', [['PING']]],
  ['an inline command with a bare line feed', 'SET a b\n', [['SET', 'a', 'b']]],
  ['blank lines are skipped', '\r\n  \r\nPING\r\n', [['PING']]],
  ['quotes in an inline command', String.raw`SET "a b" '\'c' "\x41\n"` + '\r\n', [['SET', 'a b', "'c", 'A\n']]],
  ['unbalanced quotes', 'SET "a\r\n', ['broken: ERR Protocol error: unbalanced quotes in request']],
  ['a count that is no number', '*x\r\n', ['broken: ERR Protocol error: invalid multibulk length']],
  ['a count without digits', '*\r\n', ['broken: ERR Protocol error: invalid multibulk length']],
  ['too many arguments', '*1048577\r\n', ['broken: ERR Protocol error: invalid multibulk length']],
  ['a count that never ends', `*${'1'.repeat(40)}`, ['broken: ERR Protocol error: invalid multibulk length']],
  ['an argument that is not a bulk string', '*1\r\n:1\r\n', ["broken: ERR Protocol error: expected '$', got ':'"]],
  ['an array inside an array', '*1\r\n*1\r\n', ["broken: ERR Protocol error: expected '$', got '*'"]],
  ['a negative bulk length', '*1\r\n$-1\r\n', ['broken: ERR Protocol error: invalid bulk length']],
  ['a huge bulk length', '*1\r\n$999999999999\r\n', ['broken: ERR Protocol error: invalid bulk length']],
  ['a bulk string without its end', '*1\r\n$1\r\nabc', ['broken: ERR Protocol error: invalid bulk length']],
  ['a lone carriage return', '*1\rx', ['broken: ERR Protocol error: invalid multibulk length']],
];

describe.each(cases)('%s', (_name, input, steps) => {
  test('in one piece', () => expect(parse([Buffer.from(input, 'latin1')]).steps).toEqual(steps));
  test('byte by byte', () => expect(parse(bytewise(Buffer.from(input, 'latin1'))).steps).toEqual(steps));
});

const command = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 });

test('commands come out as they went in, wherever the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(command, { minLength: 1, maxLength: 8 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 50 })),
      (commands, cuts) => {
        const bytes = Buffer.concat(commands.map((args) => encodeCommand(args)));
        const pieces: Buffer[] = [];
        for (let at = 0; at < bytes.length;) {
          const { value: step } = cuts.next();
          pieces.push(bytes.subarray(at, at + step));
          at += step;
        }
        expect(parse(pieces).steps).toEqual(
          commands.map((args) => args.map((arg) => Buffer.from(arg).toString('latin1'))),
        );
      },
    ),
  );
});

test('any bytes are parsed or refused, the same whole and byte by byte', () => {
  const alphabet = fc.constantFrom(...'*$\r\n0123-:aP"\' ');
  fc.assert(
    fc.property(
      fc.array(alphabet, { maxLength: 80 }).map((chars) => Buffer.from(chars.join(''))),
      (bytes) => {
        expect(parse(bytewise(bytes)).steps).toEqual(parse([bytes]).steps);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a value that is too large is skipped and refused, and the next command works', () => {
  const large = Buffer.alloc(maxValueBytes + 1, 97);
  const bytes = Buffer.concat([encodeCommand(['SET', 'a', large]), encodeCommand(['PING'])]);
  const pieces = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, i) =>
    bytes.subarray(i * 65_536, (i + 1) * 65_536),
  );
  const { steps, held } = parse(pieces);
  expect(steps).toEqual([
    `refused: ERR an argument of ${maxValueBytes + 1} bytes exceeds the limit of ${maxValueBytes} bytes`,
    ['PING'],
  ]);
  expect(held).toBeLessThan(200_000);
});

test('a command that is too long in all is refused, whatever its arguments', () => {
  const args = ['MSET', ...Array.from({ length: 8 }, () => Buffer.alloc(maxValueBytes / 2, 97))];
  const { steps, held } = parse([encodeCommand(args), encodeCommand(['PING'])]);
  expect(steps).toEqual([`refused: ERR the command exceeds the limit of ${maxRequestBytes} bytes`, ['PING']]);
  expect(held).toBeLessThan(maxRequestBytes);
});

test('a million empty arguments are refused without being kept', () => {
  const bytes = Buffer.from(`*1048576\r\n${'$0\r\n\r\n'.repeat(1_048_576)}*1\r\n$4\r\nPING\r\n`);
  expect(parse([bytes]).steps).toEqual([
    `refused: ERR the command exceeds the limit of ${maxRequestBytes} bytes`,
    ['PING'],
  ]);
});

test('an inline command that never ends is a protocol error', () => {
  expect(parse([Buffer.alloc(70_000, 97)]).steps).toEqual(['broken: ERR Protocol error: too big inline request']);
});

test('a large value that comes byte by byte takes time in proportion to its length', () => {
  const bytes = encodeCommand(['SET', 'a', Buffer.alloc(300_000, 97)]);
  const started = performance.now();
  expect(parse(bytewise(bytes)).steps).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(5_000);
});
