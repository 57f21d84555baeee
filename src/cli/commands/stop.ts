/** `starling stop` and `starling leave`: ask the running node to stop and wait until its data folder is free. */
import { waitingFor } from "../waiting.ts";
import { daemonOf } from "./pause.ts";

export interface StopArguments {
  readonly data: string;
  readonly afterRound: boolean;
}

export async function stop({ data, afterRound }: StopArguments): Promise<void> {
  const daemon = await daemonOf(data);
  if (afterRound) process.stderr.write("stopping after this round\n");
  await waitingFor("stopping", daemon.stop(afterRound ? "round" : "now"));
  process.stderr.write("stopped\n");
}

/** Stops when others hold what this node gave last. */
export async function leave({ data }: Pick<StopArguments, "data">): Promise<void> {
  const daemon = await daemonOf(data);
  process.stderr.write("leaving after this round, when others hold its work\n");
  await waitingFor("leaving", daemon.stop("cited"));
  process.stderr.write("left\n");
}
