/** The disk: the only room that has one. Imports only core. */
export { type Store, type StoreOptions, openStore } from "./store.ts";
export { type Owner, readOwner } from "./owner.ts";
export type { BlockStore } from "./blocks.ts";
export { bodyBlocks, bodyCid, getBody, pullBody, putBody } from "./body.ts";
export type { ContributionStore, StoredHeader } from "./contributions.ts";
export type { RoundName } from "./sealed-folders.ts";
export { type StateStore, openStates } from "./states.ts";
export { type CheckpointMeta, type CheckpointStore, openCheckpoints } from "./checkpoints.ts";
export { readFiles, writeFiles } from "./file-set.ts";
