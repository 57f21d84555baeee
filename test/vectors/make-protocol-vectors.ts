/**
 * Vectors of the protocol (docs/protocol.md), for this implementation and others. Run: node test/vectors/make-protocol-vectors.ts
 * They are the format of version 1: when one of them changes, so has the protocol.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { baseVectors } from "./protocol/base.ts";
import { batchVectors } from "./protocol/batch.ts";
import { bodyVectors } from "./protocol/body.ts";
import { foldVectors } from "./protocol/fold.ts";
import { growthVectors } from "./protocol/growth.ts";
import { headerVectors, refusedHeaderVectors } from "./protocol/header.ts";
import { historyVectors } from "./protocol/history.ts";
import { lotVectors } from "./protocol/lot.ts";
import { manifestVectors } from "./protocol/manifest.ts";
import { networkVectors } from "./protocol/network.ts";
import { presenceVectors } from "./protocol/presence.ts";
import { proposalVectors } from "./protocol/proposal.ts";
import { randomVectors } from "./protocol/random.ts";
import { recordVectors } from "./protocol/record.ts";
import { rootVectors } from "./protocol/root.ts";
import { switchVectors } from "./protocol/switch.ts";
import { weightsVectors } from "./protocol/weights.ts";

/** By file, below test/vectors/protocol. */
export const protocolVectors: Readonly<Record<string, () => unknown>> = {
  "base.json": baseVectors,
  "batch.json": batchVectors,
  "body.json": bodyVectors,
  "fold.json": foldVectors,
  "growth.json": growthVectors,
  "header.json": headerVectors,
  "history.json": historyVectors,
  "lot.json": lotVectors,
  "manifest.json": manifestVectors,
  "network.json": networkVectors,
  "presence.json": presenceVectors,
  "switch.json": switchVectors,
  "proposal.json": proposalVectors,
  "random.json": randomVectors,
  "record.json": recordVectors,
  "refused-header.json": refusedHeaderVectors,
  "root.json": rootVectors,
  "weights.json": weightsVectors,
};

if (import.meta.main) {
  const folder = new URL("protocol/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, vectors] of Object.entries(protocolVectors)) {
    writeFileSync(new URL(name, folder), written(await vectors()));
  }
}

/** One vector a line. */
function written(vectors: unknown): string {
  if (!Array.isArray(vectors)) return `${JSON.stringify(vectors, null, 1)}\n`;
  return `[\n${vectors.map((vector) => JSON.stringify(vector)).join(",\n")}\n]\n`;
}
