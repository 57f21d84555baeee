/** What a check has found. */

export interface Symptom {
  /** What was looked at: `disk`, say. */
  readonly name: string;
  /** `poor`: it works, with a loss that is worth knowing. `fault`: a node cannot do its work. */
  readonly state: "good" | "poor" | "fault";
  readonly found: string;
  /** What to do; null where there is nothing to do. */
  readonly fix: string | null;
}

export function good(name: string, found: string): Symptom {
  return { name, state: "good", found, fix: null };
}

export function poor(name: string, found: string, fix: string): Symptom {
  return { name, state: "poor", found, fix };
}

export function fault(name: string, found: string, fix: string): Symptom {
  return { name, state: "fault", found, fix };
}
