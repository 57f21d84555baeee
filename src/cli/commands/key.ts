/** `starling key`: a node's identity, to keep a copy of or to go on with on another machine. */
import { exportKey, importKey } from "../../node/index.ts";
import { assertDataExists } from "../data-folder.ts";

export interface KeyArguments {
  readonly data: string;
}

export async function exportKeyTo(file: string, { data }: KeyArguments): Promise<void> {
  await assertDataExists(data);
  const peerId = await exportKey(data, file);
  process.stderr.write(`${file} holds the identity of ${peerId}: keep it secret\n`);
}

export async function importKeyFrom(file: string, { data }: KeyArguments): Promise<void> {
  const peerId = await importKey(data, file);
  process.stderr.write(
    `${data} is ${peerId} now; a node with this identity may run in one place only, or both lose their work\n`,
  );
}
