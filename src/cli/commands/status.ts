/** `starling status`: asks the running node, or reads its folder when none runs. */
import { createLog, connectControl, readOfflineStatus } from "../../node/index.ts";
import { assertDataExists } from "../data-folder.ts";
import { describeStatus } from "../describe.ts";

export interface StatusArguments {
  readonly data: string;
  readonly json: boolean;
}

export async function status({ data, json }: StatusArguments): Promise<void> {
  await assertDataExists(data);
  const daemon = await connectControl(data);
  const found = await (daemon?.status() ?? readOfflineStatus(data, createLog({ level: "warn" })));
  process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : describeStatus(found));
}
