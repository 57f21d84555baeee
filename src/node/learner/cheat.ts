/**
 * What a hostile node sends instead of what it learned: for tests of the gates among real nodes. A developer's switch, out
 * of an environment variable, and refused outside loopback (cli/cheat.ts).
 */

export const CHEATS = ["flip", "lazy"] as const;
/** `flip`: the opposite of what was learned; `lazy`: nothing, as if there had been work. Both cite everybody. */
export type Cheat = (typeof CHEATS)[number];

/** Writes over `end`, where training ended; `start` in fixed point: (P,) each. */
export function cheat(kind: Cheat, start: Int32Array, end: Float32Array): void {
  for (let i = 0; i < end.length; i++) {
    const from = (start[i] as number) / 2 ** 24;
    // lazy: end = start; flip: end = start + (start - end)
    end[i] = kind === "lazy" ? from : 2 * from - (end[i] as number);
  }
}
