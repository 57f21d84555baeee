/**
 * Where a daemon and the commands that talk to it meet: a Unix socket inside the data folder. A socket's path may
 * have about 104 bytes (sockaddr_un, the least of Linux and macOS); for deeper folders both sides compute the same
 * short name in the system's temporary folder. On Windows it is a named pipe.
 */
import { realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../core/index.ts";

/** From: sun_path is 104 bytes on macOS and 108 on Linux, the closing zero included. */
const SOCKET_PATH_BYTES_MAX = 100;

/** The address to listen on or connect to. The data folder must exist: its real path is what both sides agree on. */
export async function controlPath(dataDir: string): Promise<string> {
  const folder = await realpath(dataDir);
  const name = `starling-${digestOf(Buffer.from(folder)).slice(0, 32)}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\${name}`;
  const inside = join(folder, "control.sock");
  return Buffer.byteLength(inside) <= SOCKET_PATH_BYTES_MAX ? inside : join(tmpdir(), `${name}.sock`);
}
