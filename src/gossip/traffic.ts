/**
 * Bytes on the wire of the whole host, counted by the kernel's own sockets: with encryption, multiplexing, DHT and
 * gossip. libp2p shows each raw connection to its gater (host.ts), which hands it here; listening to the
 * connection's data instead would take it away from the handshake.
 */
import { Socket } from "node:net";
import type { MultiaddrConnection } from "@libp2p/interface";

export class Traffic {
  readonly #open = new Set<Socket>();
  #closedBytesIn = 0;
  #closedBytesOut = 0;

  /** May be called more than once for a connection. */
  track(connection: MultiaddrConnection): void {
    const socket = "socket" in connection ? connection.socket : undefined;
    if (!(socket instanceof Socket) || this.#open.has(socket)) return;
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#closedBytesIn += socket.bytesRead;
      this.#closedBytesOut += socket.bytesWritten;
    });
  }

  total(): { bytesIn: number; bytesOut: number } {
    let bytesIn = this.#closedBytesIn;
    let bytesOut = this.#closedBytesOut;
    for (const socket of this.#open) {
      bytesIn += socket.bytesRead;
      bytesOut += socket.bytesWritten;
    }
    return { bytesIn, bytesOut };
  }
}
