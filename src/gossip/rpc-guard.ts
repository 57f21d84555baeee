/**
 * What one neighbour may make GossipSub do. The library bounds the memory of subscriptions, and scores messages once they
 * are validated, but it counts neither repeated messages, which it drops before, nor subscriptions, nor ids: these
 * cost a neighbour nothing, and us an event loop. So each RPC is weighed before the library handles it.
 */
import type { PeerId as LibPeerId } from "@libp2p/interface";
import type { Clock, PeerId } from "../core/index.ts";
import { Rates } from "./rates.ts";
import type { Standing } from "./standing.ts";

/**
 * Items of RPCs (messages, ids, subscriptions, grafts) of one neighbour. Guess: 64 contributors' headers and verdicts
 * in one second, with the ids that announce and decline them, twice over.
 */
const PER_SEC = 1024;
const BURST_MAX = 8192;
/** A run has 129 topics; a peer of several runs may name more. Guess. */
const SUBSCRIPTIONS_MAX = 1024;

/** As much of GossipSub's RPC as is counted here. */
interface Rpc {
  subscriptions?: readonly unknown[];
  messages?: readonly unknown[];
  control?: {
    ihave?: readonly { messageIDs?: readonly unknown[] }[];
    iwant?: readonly { messageIDs?: readonly unknown[] }[];
    idontwant?: readonly { messageIDs?: readonly unknown[] }[];
    graft?: readonly unknown[];
    prune?: readonly unknown[];
  };
}

/** The one method of the library's class through which every inbound RPC passes. */
interface RpcHandler {
  handleReceivedRpc(from: LibPeerId, rpc: Rpc): Promise<void>;
}

/** Puts the guard before the handler: RPCs above the rate are dropped unseen, and cost their sender. */
export function guardRpcs<T>(pubsub: T, { standing, clock }: { standing: Standing; clock: Clock }): T {
  const rates = new Rates({ perSec: PER_SEC, burstMax: BURST_MAX, clock });
  const handler = pubsub as unknown as RpcHandler;
  const handle = handler.handleReceivedRpc.bind(pubsub);
  handler.handleReceivedRpc = async (from, rpc) => {
    const peer = from.toString() as PeerId;
    if ((rpc.subscriptions?.length ?? 0) > SUBSCRIPTIONS_MAX) return standing.fault(peer, "request");
    if (!rates.take(peer, itemsOf(rpc))) return standing.fault(peer, "rate");
    return handle(from, rpc);
  };
  return pubsub;
}

function itemsOf({ subscriptions = [], messages = [], control = {} }: Rpc): number {
  const { ihave = [], iwant = [], idontwant = [], graft = [], prune = [] } = control;
  const ids = [...ihave, ...iwant, ...idontwant].reduce(
    (sum, { messageIDs }) => sum + (messageIDs?.length ?? 0),
    0,
  );
  return 1 + subscriptions.length + messages.length + ids + graft.length + prune.length;
}
