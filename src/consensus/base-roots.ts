/**
 * The roots before a base, which its own root does not cover, as the headers tell them. A header that builds on the base names
 * its parents by hash, they name theirs, and each names the settled root of its round: so whoever weighs something by the base's
 * table, which its root does cover, and signed such a header, has signed the roots before it too.
 */
import type { ContributionId, Digest } from "../core/index.ts";
import type { Base } from "./base.ts";
import type { Header } from "./header.ts";
import type { Rule } from "./rule.ts";

/**
 * Those behind which most weight is; undefined: nobody who weighs anything is among the headers with all that it goes back to.
 * `headers`: signed and of the base's run and phase, of rounds from `base.round` to settleDepth later; others do no harm.
 */
export function rootsNamedBefore(
  headers: ReadonlyMap<ContributionId, Header>,
  { round, root, accounts }: Pick<Base, "round" | "root" | "accounts">,
  { settleDepth }: Rule,
): readonly Digest[] | undefined {
  const weights = new Map<string, { readonly roots: readonly Digest[]; weight: number }>();
  const heard = new Set<string>();
  for (const header of headers.values()) {
    const weight = accounts.table.get(header.author) ?? 0;
    if (header.round !== round + settleDepth || header.settled.root !== root || weight === 0) continue;
    const roots = rootsBehind(header, headers, settleDepth);
    const name = roots?.join();
    // One voice each, whatever somebody has signed twice.
    if (roots === undefined || name === undefined || heard.has(`${header.author} ${name}`)) continue;
    heard.add(`${header.author} ${name}`);
    const behind = weights.get(name) ?? { roots, weight: 0 };
    behind.weight += weight;
    weights.set(name, behind);
  }
  const [most] = [...weights.values()].toSorted((a, b) => b.weight - a.weight);
  return most?.roots;
}

/** All parents of an honest header name one root, so any one of them will do. The oldest first. */
function rootsBehind(
  tip: Header,
  headers: ReadonlyMap<ContributionId, Header>,
  settleDepth: number,
): readonly Digest[] | undefined {
  const roots: Digest[] = [];
  for (let at = tip; roots.length < settleDepth;) {
    const parent = at.parents.map((id) => headers.get(id)).find((header) => header !== undefined);
    if (parent === undefined || parent.round !== at.round - 1) return undefined;
    roots.push(parent.settled.root);
    at = parent;
  }
  return roots.reverse();
}
