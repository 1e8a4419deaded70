import { LiveDocuments } from '../segment/live-documents.ts';
import type { Segment } from '../segment/segment.ts';

/** A segment in use, and where it is on disk. */
export interface SegmentEntry {
  readonly segment: Segment;
  readonly live: LiveDocuments;
  /** Null: not written yet. */
  file: string | null;
  /** File with the deletions as of {@link writtenDeletions}; null: none. */
  deletionsFile: string | null;
  /** How many deletions are on disk. */
  writtenDeletions: number;
}

export const newEntry = (segment: Segment): SegmentEntry => ({
  segment,
  live: new LiveDocuments(segment),
  file: null,
  deletionsFile: null,
  writtenDeletions: 0,
});
