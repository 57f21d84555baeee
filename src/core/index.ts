/** Words that everyone shares. Imports nothing of ours. */
export type { Cid, ContributionId, Digest, PeerId, RunId } from "./ids.ts";
export { StarlingError, assert, messageOf } from "./errors.ts";
export { type Accepted, type Refused, type Verdict, accept, ignore, reject } from "./verdict.ts";
export { type Clock, pause, systemClock } from "./clock.ts";
export { digestFromBytes, digestOf, digestToBytes, sha256 } from "./hash.ts";
export { DAG_CBOR, RAW, checkCid, cidOf, cidOfDigest, matchesCid, parseCid } from "./cid.ts";
export { ONE, fromFixed, roundHalfToEven, saturate, toFixed, toFloats } from "./fixed.ts";
export { BLOCK_BYTES, blocksOf, bytesOf, merkleRoot, rootOfBytes } from "./merkle.ts";
export { SeededRandom } from "./random.ts";
export { type Logger, silentLog } from "./log.ts";
export { type Service, startAll, stopAll } from "./service.ts";
