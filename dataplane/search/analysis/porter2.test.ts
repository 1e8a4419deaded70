import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { porter2 } from './porter2.ts';

/** Words and their stems, from the vocabulary that the Snowball project publishes with the algorithm. */
const published = `
  consign consign, consigned consign, consigning consign, consignment consign, consist consist, consistency
  consist, consistent consist, consistently consist, consolation consol, consolations consol, consolatory
  consolatori, console consol, consoled consol, consoles consol, consolidate consolid, consolidating consolid,
  consoling consol, consolingly consol, consonant conson, consort consort, consorted consort, consorting
  consort, conspicuous conspicu, conspicuously conspicu, conspiracy conspiraci, conspirator conspir,
  conspirators conspir, conspire conspir, conspired conspir, constable constabl, constables constabl, constance
  constanc, constancy constanc, constant constant, knack knack, knackeries knackeri, knacks knack, knag knag,
  knave knave, knaves knave, knavish knavish, kneaded knead, kneading knead, knee knee, kneel kneel, kneeled
  kneel, kneeling kneel, kneels kneel, knees knee, knell knell, knew knew, knick knick, knif knif, knife knife,
  knight knight, knightly knight, knights knight, knit knit, knits knit, knitted knit, knitting knit, knives
  knive, knob knob, knobs knob, knock knock, knocked knock, knocker knocker, knockers knocker, knocking knock,
  knocks knock, knopp knopp, knot knot, knots knot, caresses caress, ponies poni, ties tie, cries cri, gas gas,
  this this, kiwis kiwi, gaps gap, agreed agre, hoping hope, hopped hop, luxuriated luxuri, fizzed fizz, falling
  fall, hissing hiss, cry cri, by by, say say, happily happili, relational relat, conditional condit, valency
  valenc, hesitancy hesit, digitizer digit, conformably conform, radically radic, differently differ, vilely
  vile, analogously analog, vietnamization vietnam, predication predic, operator oper, feudalism feudal,
  decisiveness decis, hopefulness hope, callousness callous, formality formal, sensitivity sensit, sensibility
  sensibl, triplicate triplic, formative format, formalize formal, electricity electr, electrical electr,
  hopeful hope, goodness good, revival reviv, allowance allow, inference infer, airliner airlin, adjustable
  adjust, defensible defens, irritant irrit, replacement replac, adjustment adjust, dependent depend, adoption
  adopt, communism communism, activate activ, angularity angular, homologous homolog, effective effect,
  bowdlerize bowdler, probate probat, rate rate, cease ceas, controlling control, rolling roll, sky sky, skies
  sky, dying die, lying lie, tying tie, vying vie, news news, inning inning, outing outing, evening evening,
  proceed proceed, exceed exceed, succeed succeed, skis ski, idly idl, gently gentl, ugly ugli, early earli,
  only onli, singly singl, generate generat, generously generous, communicate communic, community communiti,
  arsenal arsenal, arsenic arsenic, past past, pasted paste, paste paste, university universiti, universe
  univers, emergency emergenc, organic organic, organization organiz, international internat, interval interval,
  biologist biolog, geologist geolog, ebbed ebb, added add, egged egg, off off
`;
const pairs = published
  .split(',')
  .map((pair) => pair.trim().split(' '))
  .filter((pair): pair is [string, string] => pair.length === 2);

describe('porter2', () => {
  it.each(pairs)('stems %s to %s', (word, stem) => {
    expect(porter2(word)).toBe(stem);
  });

  it('removes possessives', () => {
    expect(["dog's", "dogs'", "'dog'", "dog's'"].map(porter2)).toEqual(['dog', 'dog', 'dog', 'dog']);
  });

  it('gives any text a stem that is not longer, and does not throw', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(porter2(text).length).toBeLessThanOrEqual(text.length + 1);
      }),
    );
  });
});
