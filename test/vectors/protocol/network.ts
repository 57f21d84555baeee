/** network.json: names of topics and protocols, message ids, and what is said on blocks and sync. */
import { encode as encodeFrame } from "it-length-prefixed";
import { DAG_CBOR, RAW, cidOf, digestOf, digestToBytes, parseCid } from "../../../src/core/index.ts";
import { encodeQuestion } from "../../../src/gossip/have-protocol.ts";
import { messageId } from "../../../src/gossip/host.ts";
import {
  BLOCKS_PROTOCOL,
  HAVE_PROTOCOL,
  SYNC_PROTOCOL,
  contributionsTopic,
  dhtProtocol,
  mdnsTag,
  pingPrefix,
  presenceTopic,
  verdictsTopic,
} from "../../../src/gossip/names.ts";
import { encodeReply, encodeRequest, encodeStateReply } from "../../../src/gossip/sync-messages.ts";
import { runIdOf, textBytes } from "../../support/run-of.ts";
import { hex, patternBytes } from "./support.ts";

export interface NetworkVectors {
  run: string;
  names: Record<string, string>;
  /** `data`, `id`: hex. */
  messageIds: { topic: string; data: string; id: string }[];
  /** `message` is what is said, `frame` what travels: hex. */
  blocks: { cid: string; message: string; frame: string };
  have: { takes: number; cids: string[]; message: string; frame: string };
  sync: { name: string; value: unknown; message: string; frame: string }[];
}

export function networkVectors(): NetworkVectors {
  const run = runIdOf("network");
  const topic = contributionsTopic(run, 0);
  const block = cidOf(textBytes("block"), RAW);
  const ids = [textBytes("one"), textBytes("two")].map((bytes) => cidOf(bytes, DAG_CBOR));
  const root = digestOf(textBytes("root"));
  const headers = [patternBytes(3), patternBytes(300)];
  return {
    run,
    names: {
      contributions: topic,
      verdicts: verdictsTopic(run, 0),
      presence: presenceTopic(run),
      blocks: BLOCKS_PROTOCOL,
      have: HAVE_PROTOCOL,
      sync: SYNC_PROTOCOL,
      kad: dhtProtocol(run),
      ping: `/${pingPrefix(run)}/ping/1.0.0`,
      mdns: mdnsTag(run),
    },
    messageIds: [textBytes("header"), new Uint8Array(0)].map((data) => ({
      topic,
      data: hex(data),
      id: hex(messageId(topic, data)),
    })),
    blocks: { cid: block, ...framed(parseCid(block)?.bytes as Uint8Array) },
    have: { takes: 3, cids: ids, ...framed(encodeQuestion({ takes: 3, cids: ids })) },
    sync: [
      {
        name: "since",
        value: { phase: 0, fromRound: 300 },
        ...framed(encodeRequest({ phase: 0, fromRound: 300 })),
      },
      { name: "ids", value: { ids }, ...framed(encodeRequest({ ids })) },
      {
        name: "state",
        value: { phase: 0, round: 40, root: hex(digestToBytes(root)) },
        ...framed(encodeRequest({ phase: 0, round: 40, root })),
      },
      { name: "base", value: { base: block }, ...framed(encodeStateReply(block)) },
      { name: "no base", value: { base: null }, ...framed(encodeStateReply(undefined)) },
      {
        name: "headers",
        value: { headers: headers.map(hex), more: true },
        ...framed(encodeReply({ headers, more: true })),
      },
      {
        name: "busy",
        value: { headers: [], more: true },
        ...framed(encodeReply({ headers: [], more: true })),
      },
    ],
  };
}

function framed(message: Uint8Array): { message: string; frame: string } {
  return { message: hex(message), frame: hex(encodeFrame.single(message).subarray()) };
}
