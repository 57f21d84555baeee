/** `starling data add`: cuts what somebody has into shards in the data folder. */
import { addToFolder as addFiles, createLog, readTokenizerFile } from "../../node/index.ts";
import { makeDataFolder } from "../data-folder.ts";
import { bytes, count } from "../format.ts";
import { withFileProgress } from "../progress-bar.ts";

export interface DataAddArguments {
  readonly data: string;
  readonly tokenizer?: string;
  readonly source?: string;
  readonly licence?: string;
  readonly field: string;
  readonly heldOut: number;
}

export async function addToFolder(path: string, given: DataAddArguments): Promise<void> {
  const { data, tokenizer, heldOut: heldOutShare, ...labels } = given;
  const tokenizerFile = tokenizer === undefined ? null : await readTokenizerFile(tokenizer);
  await makeDataFolder(data);
  const options = { ...labels, text: path, tokenizerFile, heldOutShare };
  const { cid, record } = await withFileProgress("cutting", (onProgress) =>
    addFiles(data, { ...options, onProgress }, { log: createLog({ level: "warn" }) }),
  );
  const tokens = (shards: typeof record.train): number =>
    shards.reduce((sum, shard) => sum + shard.tokens, 0);
  process.stderr.write(
    `${count(record.documents)} documents, ${bytes(record.bytes)}: ${count(tokens(record.train))} tokens to train on ` +
      `in ${record.train.length} shards, ${count(tokens(record.heldOut))} held out in ${record.heldOut.length}; ` +
      `next: starling init --record ${cid} --data ${data}\n`,
  );
  process.stdout.write(`${cid}\n`);
}
