/** Ready-made phases, so that nobody has to write a manifest by hand. */
import { StarlingError } from "../../core/index.ts";
import { flightSchool } from "./flight-school.ts";
import { flight, tiny } from "./flight.ts";
import { lab } from "./lab.ts";
import { open500m } from "./open-500m.ts";
import type { Preset } from "./preset.ts";

const presets: Readonly<Record<string, Preset>> = {
  flight,
  tiny,
  "flight-school": flightSchool,
  lab,
  "open-500m": open500m,
};

export const presetNames: readonly string[] = Object.keys(presets);

/** @throws StarlingError `PRESET_UNKNOWN` */
export function presetOf(name: string): Preset {
  const preset = presets[name];
  if (preset !== undefined) return preset;
  throw new StarlingError("PRESET_UNKNOWN", `expected one of ${presetNames.join(", ")}, got ${name}`);
}
