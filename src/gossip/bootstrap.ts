/** What a node is given to dial first. */
import { multiaddr } from "@multiformats/multiaddr";
import { StarlingError, messageOf } from "../core/index.ts";

/** @throws StarlingError `BOOTSTRAP_INVALID` unless it is a multiaddr that names a peer */
export function checkBootstrap(address: string): void {
  const expected = "expected a bootstrap address such as /ip4/203.0.113.7/tcp/4001/p2p/12D3Koo…";
  let hasPeer: boolean;
  try {
    hasPeer = multiaddr(address)
      .getComponents()
      .some(({ name }) => name === "p2p");
  } catch (error) {
    throw new StarlingError("BOOTSTRAP_INVALID", `${expected}, got ${address}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (!hasPeer) throw new StarlingError("BOOTSTRAP_INVALID", `${expected}, got ${address} without /p2p/`);
}
