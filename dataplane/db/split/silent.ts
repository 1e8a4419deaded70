/**
 * Name of the note that an operation begins with which changes nothing that clients could see: it copies keys from another
 * shard, or sweeps away what lives on in one. Nobody who watches is to hear of it.
 */
export const silentNote = 'silent';
