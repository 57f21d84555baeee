/**
 * Over which rounds each honest node ran and was connected to the majority: only there it is promised that it publishes
 * and is included.
 */
import type { FlockNode } from "./flock-node.ts";

interface Stay {
  readonly fromRound: number;
  /** The first round that no longer counts; undefined while it lasts. */
  endRound: number | undefined;
}

/** Rounds that whoever comes back may need to catch up. Guess. */
const RETURN_ROUNDS = 2;

export class Attendance {
  readonly #stays = new Map<FlockNode, Stay[]>();

  /** `present`: those of the honest nodes that run and are connected to the majority now. */
  take(honest: readonly FlockNode[], present: ReadonlySet<FlockNode>): void {
    const newestRound = Math.max(0, ...[...present].map(({ machine }) => machine.round));
    for (const node of honest) {
      const stays = this.#stays.get(node) ?? [];
      this.#stays.set(node, stays);
      const last = stays.at(-1);
      const isPresent = last !== undefined && last.endRound === undefined;
      if (isPresent && !present.has(node)) last.endRound = node.machine.round;
      if (!isPresent && present.has(node)) {
        const fromRound = newestRound === 0 ? 0 : newestRound + RETURN_ROUNDS;
        stays.push({ fromRound, endRound: undefined });
      }
    }
  }

  /** Whether the node was there in the round. */
  has(node: FlockNode, round: number): boolean {
    const stays = this.#stays.get(node) ?? [];
    return stays.some(({ fromRound, endRound }) => round >= fromRound && round < (endRound ?? Infinity));
  }

  /** The most rounds in a row below `round` that some node was there for and published nothing in. */
  stalledRoundsMax(round: number): number {
    let most = 0;
    for (const [node, stays] of this.#stays) {
      const published = new Set(node.published.map(({ header }) => header.round));
      for (const { fromRound, endRound = round } of stays) {
        let stalled = 0;
        for (let r = fromRound; r < Math.min(endRound, round); r++) {
          stalled = published.has(r) ? 0 : stalled + 1;
          most = Math.max(most, stalled);
        }
      }
    }
    return most;
  }
}
