import { describe, expect, test } from 'vitest';
import { ProposalQueue, queueLimit, type Proposal } from './proposal-queue.ts';

const proposal = (bytes: number, since = 0): Proposal => ({
  operation: new Uint8Array(bytes),
  since,
  resolve: () => {},
  reject: () => {},
  answered: false,
});

describe('proposal queue', () => {
  test('gives the longest prefix that fits, in order', () => {
    const queue = new ProposalQueue();
    const all = [10, 20, 30, 40].map((bytes) => proposal(bytes));
    for (const each of all) queue.push(each);
    expect(queue.take(75)).toEqual(all.slice(0, 3));
    expect(queue.take(75)).toEqual(all.slice(3));
    expect(queue.take(75)).toEqual([]);
    expect(queue.bytes).toBe(0);
  });

  test('gives one that is larger than the limit alone', () => {
    const queue = new ProposalQueue();
    queue.push(proposal(100));
    queue.push(proposal(1));
    expect(queue.take(50)).toHaveLength(1);
  });

  test('what is put back comes first, in its order', () => {
    const queue = new ProposalQueue();
    const [a, b, c] = [proposal(1), proposal(2), proposal(3)];
    for (const each of [a, b, c]) queue.push(each);
    const taken = queue.take(11);
    expect(taken).toEqual([a, b]);
    queue.putBack(taken);
    expect(queue.takeAll()).toEqual([a, b, c]);
  });

  test('is full by count and by bytes', () => {
    const many = new ProposalQueue();
    const one = proposal(0);
    for (let i = 0; i < queueLimit.proposals; i++) many.push(one);
    expect(many.full).toBe(true);
    const large = new ProposalQueue();
    large.push(proposal(queueLimit.bytes));
    expect(large.full).toBe(true);
  });

  test('names those that wait too long and were not answered', () => {
    const queue = new ProposalQueue();
    const [old, answered, young] = [proposal(1, 10), proposal(1, 11), proposal(1, 50)];
    answered.answered = true;
    for (const each of [old, answered, young]) queue.push(each);
    expect([...queue.olderThan(40)]).toEqual([old]);
  });
});
