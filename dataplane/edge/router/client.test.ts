import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientPrefix, LastChoices } from './client-prefix.ts';
import { countryCentre, knownCountries } from './country-centres.ts';
import { GeoIp } from './geoip.ts';
import { rendezvous } from './rendezvous.ts';
import { TrustedProxies } from './trusted-proxies.ts';

describe('trusted proxies', () => {
  const trusted = new TrustedProxies('10.0.0.0/8, 2001:db8::/32, 192.0.2.7');

  it.each([
    ['10.1.2.3', true],
    ['::ffff:10.1.2.3', true],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['2001:db8::1', true],
    ['127.0.0.1', false],
    ['nonsense', false],
    [undefined, false],
  ])('%s: %s', (address, expected) => {
    expect(trusted.trusts(address)).toBe(expected);
  });

  it('nobody is trusted unless listed', () => {
    expect(new TrustedProxies('').trusts('127.0.0.1')).toBe(false);
  });

  it.each([['10.0.0.0/33'], ['example.com'], ['10.0.0.0/x'], ['::1/129']])('%s is refused by name', (part) => {
    expect(() => new TrustedProxies(part)).toThrow(part);
  });

  it.each([
    ['no proxy', '203.0.113.5', '1.1.1.1', '203.0.113.5'],
    ['one proxy', '10.0.0.1', '198.51.100.9', '198.51.100.9'],
    ['what a client made up further left', '10.0.0.1', '1.1.1.1, 198.51.100.9', '198.51.100.9'],
    ['two proxies', '10.0.0.1', '198.51.100.9, 10.0.0.2', '198.51.100.9'],
    ['nothing readable', '10.0.0.1', 'unknown', '10.0.0.1'],
  ])('the client behind %s', (...[, peer, forwardedFor, client]) => {
    expect(trusted.clientAddress(peer, forwardedFor)).toBe(client);
  });
});

describe('client networks', () => {
  it.each([
    ['203.0.113.5', '203.0.113'],
    ['2001:db8:1:2::1', '2001:db8:1'],
    ['2001:db8::1', '2001:db8:0'],
    [undefined, ''],
  ])('%s is in %j', (address, prefix) => {
    expect(clientPrefix(address)).toBe(prefix);
  });

  it('remember their last edge for ten minutes', () => {
    const last = new LastChoices();
    last.set('a', 'frankfurt', 0);
    expect(last.get('a', 600_000)).toBe('frankfurt');
    expect(last.get('a', 600_001)).toBeUndefined();
  });
});

describe('places of addresses', () => {
  it('come from the database once it is loaded', async () => {
    const geoip = new GeoIp();
    expect(geoip.locate('133.11.0.1')).toBeUndefined();
    await geoip.load();
    expect(geoip.locate('133.11.0.1')).toEqual({ country: 'JP', place: countryCentre('JP') });
    expect(geoip.locate('2001:200::1')?.country).toBe('JP');
    for (const local of ['127.0.0.1', '10.0.0.1', '192.168.1.1', '::1', 'fe80::1', 'x']) {
      expect(geoip.locate(local)).toBeUndefined();
    }
  });

  it('every centre is on the earth', () => {
    for (const code of knownCountries()) {
      expect(code).toMatch(/^[A-Z]{2}$/);
      const place = countryCentre(code);
      expect(Math.abs(place?.latitude ?? NaN)).toBeLessThanOrEqual(90);
      expect(Math.abs(place?.longitude ?? NaN)).toBeLessThanOrEqual(180);
    }
  });
});

describe('rendezvous hashing', () => {
  const names = ['a', 'b', 'c', 'd'];
  const first = (key: string, members: readonly string[]): string | undefined => rendezvous(key, members, (x) => x)[0];

  it('moves only the keys of a member that leaves', () => {
    fc.assert(
      fc.property(fc.string(), (key) => {
        const before = first(key, names);
        if (before !== 'b')
          expect(
            first(
              key,
              names.filter((name) => name !== 'b'),
            ),
          ).toBe(before);
      }),
    );
  });

  it('shares keys out evenly', () => {
    const counts = new Map(names.map((name) => [name, 0]));
    for (let i = 0; i < 4000; i++) {
      const name = first(`host/path-${i}`, names) ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
