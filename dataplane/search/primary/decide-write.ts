import type { WriteItem, WriteOutcome } from './write-item.ts';

/** What is known of a document when a write to it is decided: stored, deleted not long ago, or in flight. */
export interface DocumentState {
  readonly exists: boolean;
  readonly version: number;
  readonly seqNo: number;
  readonly primaryTerm: number;
}

/** What a write does, or why not. */
export type Decision =
  | { readonly kind: 'write'; readonly version: number; readonly result: 'created' | 'updated' | 'deleted' }
  | { readonly kind: 'answer'; readonly outcome: WriteOutcome };

const conflict = (id: string, reason: string): Decision => ({
  kind: 'answer',
  outcome: {
    ok: false,
    retry: 'no',
    status: 409,
    type: 'version_conflict_engine_exception',
    reason: `[${id}]: version conflict, ${reason}`,
  },
});

function checkSequence(item: WriteItem, state: DocumentState | null): Decision | null {
  if (item.ifSeqNo === undefined) return null;
  if (state?.exists !== true) {
    return conflict(
      item.id,
      `required seqNo [${item.ifSeqNo}], primary term [${item.ifPrimaryTerm}]. but no document was found`,
    );
  }
  if (state.seqNo === item.ifSeqNo && state.primaryTerm === item.ifPrimaryTerm) return null;
  return conflict(
    item.id,
    `required seqNo [${item.ifSeqNo}], primary term [${item.ifPrimaryTerm}]. current document has seqNo [${state.seqNo}] and primary term [${state.primaryTerm}]`,
  );
}

function checkVersion({ id, externalVersion }: WriteItem, state: DocumentState | null): Decision | null {
  if (externalVersion === undefined || state === null || externalVersion > state.version) return null;
  return conflict(id, `current version [${state.version}] is higher or equal to the one provided [${externalVersion}]`);
}

const nextVersion = (state: DocumentState | null): number => (state === null ? 1 : state.version + 1);

const present = (state: DocumentState | null): DocumentState | null => (state?.exists === true ? state : null);

/** Decides an index, create or delete by the state of its document. Pure. */
export function decideWrite(item: WriteItem, state: DocumentState | null): Decision {
  const existing = present(state);
  if (item.kind === 'create' && existing !== null) {
    return conflict(item.id, `document already exists (current version [${existing.version}])`);
  }
  const refused = checkSequence(item, state) ?? checkVersion(item, state);
  if (refused !== null) return refused;
  const version = item.externalVersion ?? nextVersion(state);
  if (item.kind !== 'delete') return { kind: 'write', version, result: existing === null ? 'created' : 'updated' };
  return existing === null ? notFound(version, state) : { kind: 'write', version, result: 'deleted' };
}

function notFound(version: number, state: DocumentState | null): Decision {
  const { seqNo, primaryTerm } = state ?? { seqNo: 0, primaryTerm: 0 };
  return { kind: 'answer', outcome: { ok: true, result: 'not_found', version, seqNo, primaryTerm } };
}
