/** `starling export`: the settled model as files, from the running node or, when none runs, from its folder. */
import { resolve } from "node:path";
import { connectControl, createLog, exportOffline, exportPhase } from "../../node/index.ts";
import { assertDataExists } from "../data-folder.ts";
import { waitingFor } from "../waiting.ts";

export interface ExportArguments {
  readonly data: string;
  readonly out: string;
  /** One that is over, instead of the newest settled state. */
  readonly phase?: number;
}

export async function exportModel({ data, out, phase }: ExportArguments): Promise<void> {
  await assertDataExists(data);
  const folder = resolve(out);
  const log = createLog({ level: "warn" });
  const newest = async (): Promise<string[]> =>
    (await connectControl(data))?.exportTo(folder) ?? exportOffline(data, folder, log);
  const written = phase === undefined ? newest() : exportPhase(data, { phase, out: folder }, log);
  const files = await waitingFor("writing the model", written);
  for (const file of files) process.stdout.write(`${file}\n`);
}
