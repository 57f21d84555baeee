/** How bytes travel: the libp2p host, topics, blocks, sync. */
export type { ReachOptions } from "./reach.ts";
export { type PresenceSource, type Swarm, type SwarmDeps, type SwarmOptions, createSwarm } from "./swarm.ts";
export type { Herald, Lookout } from "./lookout.ts";
export { type Scout, createScout } from "./scout.ts";
export type { PeerLink } from "./links.ts";
export type { BlockSource } from "./blocks-protocol.ts";
export type { PullOptions } from "./pull.ts";
export type { HeaderSource } from "./sync-protocol.ts";
export type { HeadersRequest, StateName, SyncReply } from "./sync-messages.ts";
export { SYNC_IDS_MAX } from "./sync-messages.ts";
export type { TopicHandler } from "./topics.ts";
export type { Datastore } from "./host.ts";
export { contributionsTopic, presenceTopic, verdictsTopic } from "./names.ts";
