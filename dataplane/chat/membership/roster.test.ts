import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Roster, type MemberChange } from './roster.ts';
import { decodeUser, encodeUser } from './user-key.ts';

const changes = fc
  .array(fc.record({ room: fc.constantFrom('a', 'b'), user: fc.constantFrom('x', 'y', 'z'), present: fc.boolean() }))
  .map((list) => list.map((each, i): MemberChange => ({ ...each, revision: i + 1 })));

const truth = (list: readonly MemberChange[], room: string): string[] => {
  const last = new Map(list.filter((each) => each.room === room).map((each) => [each.user, each.present]));
  return [...last].flatMap(([user, present]) => (present ? [user] : [])).sort();
};

describe('a roster', () => {
  it('ends the same in whatever order and however often changes come', () => {
    fc.assert(
      fc.property(changes, fc.infiniteStream(fc.nat()), (list, random) => {
        const shuffled = [...list, ...list]
          .map((each) => ({ each, key: random.next().value }))
          .toSorted((a, b) => a.key - b.key);
        const roster = new Roster();
        for (const { each } of shuffled) roster.apply(each);
        for (const room of ['a', 'b']) {
          expect([...roster.members(room)].sort()).toEqual(truth(list, room));
          expect(roster.count(room)).toBe(truth(list, room).length);
          expect(roster.revision(room)).toBe(
            Math.max(0, ...list.filter((each) => each.room === room).map((each) => each.revision)),
          );
        }
        for (const user of ['x', 'y', 'z']) {
          expect(roster.roomsOf(user)).toEqual(['a', 'b'].filter((room) => truth(list, room).includes(user)));
        }
      }),
    );
  });

  it('is corrected by a listing, except where it heard later', () => {
    const roster = new Roster();
    roster.apply({ room: 'a', user: 'gone', revision: 1, present: true });
    roster.apply({ room: 'a', user: 'new', revision: 9, present: true });
    const gone = roster.replace('a', [{ room: 'a', user: 'old', revision: 2, present: true }], 5);
    expect(gone).toEqual(['gone']);
    expect([...roster.members('a')].sort()).toEqual(['new', 'old']);
    expect(roster.count('a')).toBe(2);
    expect(roster.roomsOf('gone')).toEqual([]);
  });
});

describe('a user in a key', () => {
  it('is a safe subject token and comes back unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (user) => {
        expect(encodeUser(user)).toMatch(/^[\w-]+$/);
        expect(decodeUser(encodeUser(user))).toBe(user);
      }),
    );
  });
});
