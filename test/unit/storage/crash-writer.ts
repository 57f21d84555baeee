/**
 * A node that does nothing but write, until it is killed. Arguments: data folder, number of the first round. Says
 * `open`, then `<kind> <round>` after each thing that it was told is on disk.
 */
import { silentLog } from "../../../src/core/index.ts";
import { openStore, putBody } from "../../../src/storage/index.ts";
import { bodyOf, checkpointOf, headerOf, stateOf } from "./crash-content.ts";

const [dir, first] = process.argv.slice(2) as [string, string];
const store = await openStore(dir, { log: silentLog });
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say("open");

for (let round = Number(first); ; round += 1) {
  const header = headerOf(round);
  await Promise.all([
    store.contributions.put(header).then(() => say(`header ${round}`)),
    putBody(store.blocks, bodyOf(round)).then(() => say(`body ${round}`)),
    store.states.save({ phase: 0, round }, stateOf(round)).then(() => say(`state ${round}`)),
    store.checkpoints
      .save(checkpointOf(round).meta, checkpointOf(round).weights)
      .then(() => say(`checkpoint ${round}`)),
  ]);
}
