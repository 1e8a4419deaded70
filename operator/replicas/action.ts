/** What a plan for a replica set asks for: data, carried out by the controller. */
export type SetAction =
  /** A new replica: volume and pod, on this node for life. */
  | {
      readonly type: 'create-replica';
      readonly number: number;
      readonly node: string;
      readonly why: string;
      /** Whose place it takes, for a move. */
      readonly replaces?: string;
    }
  /** Writes the wish for a move on the resource: the same as a person's. */
  | { readonly type: 'request-move'; readonly pod: string; readonly to: string; readonly why: string }
  /** The pod of a replica that lost it (evicted, drained, restarted for a new template). Its data is where it was. */
  | { readonly type: 'create-pod'; readonly pod: string }
  /** Delete a pod so that it is made anew. */
  | { readonly type: 'delete-pod'; readonly pod: string; readonly why: string }
  /**
   * Pod and volume go for good. `force` when the node is lost and nobody there can confirm: safe, since what may still
   * run there is fenced by the log: its appends fail by the term, and its reads end with its lease.
   */
  | { readonly type: 'forget-replica'; readonly pod: string; readonly force: boolean; readonly why: string }
  | { readonly type: 'promote'; readonly pod: string; readonly term: number; readonly why: string }
  /** Ask one to step down and another to lead: a planned change. */
  | {
      readonly type: 'switch-over';
      readonly from: string;
      readonly pod: string;
      readonly term: number;
      readonly why: string;
      /** For a better balance over nodes. */
      readonly forBalance?: true;
    }
  /** Move the label that the primary's Service selects. */
  | { readonly type: 'label'; readonly pod: string; readonly primary: boolean };
