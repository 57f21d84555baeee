/** Cuts the file that it is given into a data folder and prints the most memory that this process ever had, in bytes. */
import { silentLog } from "../../../../src/core/index.ts";
import { addToFolder } from "../../../../src/node/index.ts";

const [, , path = "", dataDir = ""] = process.argv;
const { record } = await addToFolder(dataDir, { text: path, tokenizerFile: null }, { log: silentLog });
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ bytes: record.bytes, shards: record.train.length, peakBytes }));
