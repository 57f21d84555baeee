/** Numbers as people read them. What is not known yet is a dash. */

export const UNKNOWN = "–";

/** @param {number | null | undefined} value nats per token */
export function nats(value) {
  return value === null || value === undefined ? UNKNOWN : value.toFixed(3);
}

/** `9.4 kB`: powers of 1000. @param {number | null | undefined} value */
export function bytes(value) {
  return value === null || value === undefined ? UNKNOWN : scaled(value, ["B", "kB", "MB", "GB", "TB"]);
}

/** `1.2 M`. @param {number | null | undefined} value */
export function count(value) {
  return value === null || value === undefined ? UNKNOWN : scaled(value, ["", "k", "M", "G", "T"]);
}

/** `8.1 s`, `2 min 05 s`, `3 h 12 min`. @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms === null || ms === undefined) return UNKNOWN;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor(seconds / 60) % 60).padStart(2, "0")} min`;
}

/** `41 %`. @param {number | null | undefined} share 0..1 */
export function percent(share) {
  if (share === null || share === undefined) return UNKNOWN;
  const value = 100 * share;
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0)} %`;
}

/** A whole number with its thousands apart. @param {string} digits */
export function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** The end of a peer id tells peers apart; their beginnings are all the same. @param {string} peerId */
export function shortPeer(peerId) {
  return peerId.slice(-6);
}

/**
 * @param {number} value
 * @param {readonly string[]} units
 */
function scaled(value, units) {
  let rest = value;
  let step = 0;
  while (rest >= 999.5 && step < units.length - 1) {
    rest /= 1000;
    step++;
  }
  const digits = step > 0 && rest < 9.95 ? rest.toFixed(1) : rest.toFixed(0);
  return `${digits} ${units[step]}`.trimEnd();
}
