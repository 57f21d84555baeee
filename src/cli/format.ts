/** Numbers as people read them. A value that is not known yet is a dash. */

export const UNKNOWN = "–";

/** `3.214`, in nats per token. */
export function nats(value: number | null): string {
  return value === null ? UNKNOWN : value.toFixed(3);
}

/** `81 B`, `9.4 kB`, `1.2 MB`: powers of 1000. */
export function bytes(value: number | null): string {
  return value === null ? UNKNOWN : `${scaled(value, ["B", "kB", "MB", "GB", "TB"])}`;
}

/** `950`, `1.2 k`, `14 M`. */
export function count(value: number | null): string {
  return value === null ? UNKNOWN : scaled(value, ["", "k", "M", "G", "T"]);
}

/** `8.1 s`, `2 min 05 s`. */
export function seconds(value: number): string {
  if (value < 60) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** `45 %` of a phase's token budget. */
export function doneShare(tokens: number, { tokensBudget }: { readonly tokensBudget: number }): string {
  return `${Math.min(100, Math.floor((100 * tokens) / tokensBudget))} %`;
}

/** The first characters of a digest, enough to compare by eye. */
export function shortRoot(root: string | undefined): string {
  return root === undefined ? UNKNOWN : root.slice(0, 8);
}

/** At most three significant digits before the unit. */
function scaled(value: number, units: readonly string[]): string {
  let rest = value;
  let step = 0;
  while (rest >= 999.5 && step < units.length - 1) {
    rest /= 1000;
    step++;
  }
  const digits = step > 0 && rest < 9.95 ? rest.toFixed(1) : rest.toFixed(0);
  return `${digits} ${units[step]}`.trimEnd();
}
