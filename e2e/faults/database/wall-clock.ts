import { readFileSync } from 'node:fs';

// Loaded into a process under test by `node --import`: moves its wall clock by what the file QUARTET_TEST_CLOCK_FILE
// says, in milliseconds, whenever that changes. The monotonic clock is left alone: it cannot jump.

const file = process.env['QUARTET_TEST_CLOCK_FILE'] ?? '';
const real = Date.now.bind(Date);
let offset = 0;

const look = (): void => {
  try {
    offset = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    // Nobody has moved the clock yet.
  }
};

look();
setInterval(look, 100).unref();
Date.now = () => real() + offset;
