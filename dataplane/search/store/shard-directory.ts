import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LiveDocuments } from '../segment/live-documents.ts';
import { openSegmentFile, storedBytesOf, writeSegmentFile } from '../segment/segment-file.ts';
import { readDeletions, writeDeletions } from './deletions-file.ts';
import { IndexStore } from './index-store.ts';
import { type Manifest, readManifest, syncDirectory, writeManifest } from './manifest.ts';
import type { SegmentEntry } from './segment-entry.ts';

/** Names of files that the sweep may remove. */
const ownFile = /\.(?:seg|del|part)$/;

/** A segment as a flush caught it. */
interface Caught {
  readonly entry: SegmentEntry;
  readonly deletions: readonly number[];
}

/** The files of one shard: segments, deletions, and the manifest that says which of them count. */
export class ShardDirectory {
  readonly path: string;
  /** What is on disk; null: an empty store. */
  manifest: Manifest | null = null;
  readonly #pins = new Map<string, number>();

  constructor(path: string) {
    this.path = path;
  }

  /** Opens what the manifest names; every file is checked. Throws `damaged`. */
  async open(): Promise<IndexStore> {
    await mkdir(this.path, { recursive: true });
    this.manifest = await readManifest(this.path);
    if (this.manifest === null) return new IndexStore();
    return this.#load(this.manifest);
  }

  async #load(manifest: Manifest): Promise<IndexStore> {
    const entries: SegmentEntry[] = [];
    for (const { file, deletions } of manifest.segments) {
      const segment = await openSegmentFile(this.file(file));
      const deleted = deletions === null ? [] : await readDeletions(this.file(deletions));
      const live = new LiveDocuments(segment, deleted);
      entries.push({ segment, live, file, deletionsFile: deletions, writtenDeletions: live.log.length });
    }
    return IndexStore.from(manifest, entries);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /**
   * Writes the state of the store as it is now; it may change meanwhile. When this resolves, the state is on disk, and
   * {@link manifest} describes it. Not to be called again before.
   */
  async flush(store: IndexStore): Promise<void> {
    const caught = store.documents.refresh().map((entry): Caught => ({ entry, deletions: [...entry.live.log] }));
    const state: Omit<Manifest, 'segments'> = {
      format: 1,
      position: store.position,
      changed: store.changed,
      maxSeqNo: store.maxSeqNo,
      index: store.index,
      mappings: store.mappings.data(),
      tombstones: store.tombstones.entries().map(([id, { version, seqNo }]) => [id, version, seqNo]),
      writes: store.writes.entries().map(([nonce, { version, seqNo, result }]) => [nonce, version, seqNo, result]),
    };
    const segments: Manifest['segments'] = [];
    for (const one of caught) segments.push(await this.#writeEntry(one));
    await syncDirectory(this.path);
    await this.#publish({ ...state, segments });
    await this.#sweep(store);
  }

  async #publish(manifest: Manifest): Promise<void> {
    await writeManifest(this.path, manifest);
    this.manifest = manifest;
  }

  async #writeEntry({ entry, deletions }: Caught): Promise<Manifest['segments'][number]> {
    if (entry.file === null) {
      const file = `${randomUUID()}.seg`;
      await writeSegmentFile(this.file(file), entry.segment.data);
      entry.segment.moveStored(await storedBytesOf(this.file(file)));
      entry.file = file;
    }
    if (deletions.length > entry.writtenDeletions) {
      const name = `${randomUUID()}.del`;
      await writeDeletions(this.file(name), deletions);
      entry.deletionsFile = name;
      entry.writtenDeletions = deletions.length;
    }
    return { file: entry.file, deletions: entry.deletionsFile };
  }

  /** Removes files that neither the manifest, nor the store, nor a snapshot needs. */
  async #sweep(store: IndexStore): Promise<void> {
    const needed = new Set<string | null>(this.#pins.keys());
    for (const { file, deletions } of this.manifest?.segments ?? []) needed.add(file).add(deletions);
    for (const { file, deletionsFile } of store.documents.entries) needed.add(file).add(deletionsFile);
    for (const name of await readdir(this.path)) {
      if (ownFile.test(name) && !needed.has(name)) await rm(this.file(name), { force: true });
    }
  }

  /** Keeps the files of the current manifest until the returned function is called. */
  pin(): { readonly files: readonly string[]; release(): void } {
    const files = (this.manifest?.segments ?? []).flatMap(({ file, deletions }) =>
      deletions === null ? [file] : [file, deletions],
    );
    for (const file of files) this.#pins.set(file, (this.#pins.get(file) ?? 0) + 1);
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      for (const file of files) {
        const left = (this.#pins.get(file) ?? 1) - 1;
        if (left === 0) this.#pins.delete(file);
        else this.#pins.set(file, left);
      }
    };
    return { files, release };
  }

  /** Makes a manifest whose files were brought here the current one, and opens it. */
  async adopt(manifest: Manifest): Promise<IndexStore> {
    await syncDirectory(this.path);
    // opened first: a damaged transfer must not replace what is there
    const store = await this.#load(manifest);
    await this.#publish(manifest);
    await this.#sweep(store);
    return store;
  }
}
