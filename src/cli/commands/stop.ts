/** `starling stop`: asks the running node to stop and waits until its data folder is free. */
import { StarlingError } from "../../core/index.ts";
import { connectControl } from "../../node/index.ts";

export interface StopArguments {
  readonly data: string;
}

export async function stop({ data }: StopArguments): Promise<void> {
  const daemon = await connectControl(data);
  if (daemon === undefined) {
    throw new StarlingError(
      "NOT_RUNNING",
      `expected a node that runs on ${data}, found none; nothing to stop`,
    );
  }
  await daemon.stop();
  process.stderr.write("stopped\n");
}
