/** The disk: the only room that has one. Imports only core. */
export { type Store, type StoreOptions, openStore } from "./store.ts";
export { readRun } from "./labels.ts";
export { type Owner, readOwner } from "./owner.ts";
export { type BlockStore, createBlockStore } from "./blocks.ts";
export {
  type PullOptions,
  bodyBlocks,
  bodyCid,
  getBody,
  pullBlocks,
  pullBody,
  putBody,
  readBody,
} from "./body.ts";
export { type ContributionStore, type StoredHeader, headerKey } from "./contributions.ts";
export { type RawFolder, type RoundName, checkSeal } from "./sealed-folders.ts";
export { type Archive, type ArchivedHeader, type ArchivedPlace, openArchive } from "./archive.ts";
export { type StateStore, openStates } from "./states.ts";
export {
  type CheckpointMeta,
  type CheckpointStore,
  type SavedCheckpoint,
  openCheckpoints,
} from "./checkpoints.ts";
export { type ServedCheckpoints, type ServedState, openServedCheckpoints } from "./served-checkpoints.ts";
export { readFiles, writeFiles } from "./file-set.ts";
export { folderBytes } from "./usage.ts";
export { exportKey, importKey } from "./key-file.ts";
