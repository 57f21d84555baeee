/** `starling export`: the settled model as files, from the running node or, when none runs, from its folder. */
import { resolve } from "node:path";
import { connectControl, createLog, exportOffline } from "../../node/index.ts";
import { assertDataExists } from "../data-folder.ts";
import { waitingFor } from "../waiting.ts";

export interface ExportArguments {
  readonly data: string;
  readonly out: string;
}

export async function exportModel({ data, out }: ExportArguments): Promise<void> {
  await assertDataExists(data);
  const folder = resolve(out);
  const daemon = await connectControl(data);
  const files = await waitingFor(
    "writing the model",
    daemon?.exportTo(folder) ?? exportOffline(data, folder, createLog({ level: "warn" })),
  );
  for (const file of files) process.stdout.write(`${file}\n`);
}
