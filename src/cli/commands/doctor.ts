/** `starling doctor`: symptoms as they are found; the exit code says whether there is a fault. */
import { type Symptom, decodeRunAddress, examine } from "../../node/index.ts";
import { EXIT_OPERATING } from "../failure.ts";
import { onStopSignal } from "../signals.ts";
import { waitingFor } from "../waiting.ts";

export interface DoctorArguments {
  readonly data: string;
  readonly listen: string[];
  readonly address?: string;
  readonly threads: number;
  readonly json: boolean;
}

/** Any free port, as `start` takes it. */
const LISTEN_DEFAULT: readonly string[] = ["/ip4/0.0.0.0/tcp/0"];

export async function doctor({ data, listen, address, threads, json }: DoctorArguments): Promise<void> {
  const stopping = new AbortController();
  using _signals = onStopSignal(() => stopping.abort(new Error("stopped")));
  const symptoms = examine({
    dataDir: data,
    listen: listen.length > 0 ? listen : LISTEN_DEFAULT,
    peers: address === undefined ? [] : decodeRunAddress(address).peers,
    threads,
    signal: stopping.signal,
  });
  for (;;) {
    // Trying an engine takes seconds.
    const { done, value: symptom } = await waitingFor("looking", symptoms.next());
    if (done === true) break;
    process.stdout.write(json ? `${JSON.stringify(symptom)}\n` : describeSymptom(symptom));
    if (symptom.state === "fault") process.exitCode = EXIT_OPERATING;
  }
}

/** A line, and a second one with what to do. */
export function describeSymptom({ name, state, found, fix }: Symptom): string {
  const head = `${state.padEnd(7)}${name.padEnd(8)}`;
  return `${head}${found}\n${fix === null ? "" : `${" ".repeat(head.length)}-> ${fix}\n`}`;
}
