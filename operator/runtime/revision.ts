/**
 * Compares two resourceVersions of one resource. They are opaque by the older
 * API contract, but are etcd's revisions in every server there is, and
 * Kubernetes 1.35 made their order part of the contract (KEP-5504).
 * Negative when `a` is older. Something that is no number counts as older than all.
 */
export function compareRevisions(a: string, b: string): number {
  return toNumber(a) - toNumber(b);
}

/** The newer of two. */
export function newerRevision(a: string, b: string): string {
  return compareRevisions(a, b) >= 0 ? a : b;
}

/** etcd's revisions are below 2^63, yet one cluster stays below 2^53 for centuries. */
function toNumber(revision: string): number {
  const value = Number(revision);
  return Number.isFinite(value) ? value : -1;
}
