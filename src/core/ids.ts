/**
 * Branded names. All three are strings so that they can be keys of a Map, and branded so that one cannot be
 * passed where another is meant.
 */

/** A CIDv1 in base32, as text. */
export type Cid = string & { readonly brand: "Cid" };
/** The CID of a run's manifest. */
export type RunId = Cid & { readonly run: "RunId" };
/** The CID of a contribution's signed header. */
export type ContributionId = Cid & { readonly contribution: "ContributionId" };
/** A libp2p peer id in base58, as text. */
export type PeerId = string & { readonly brand: "PeerId" };
/** A sha2-256 digest in lower-case hex: state roots, batch seeds. */
export type Digest = string & { readonly brand: "Digest" };
