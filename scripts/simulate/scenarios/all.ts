/** Every scenario, by name. */
import type { Scenario } from "../scenario.ts";
import { HOSTILE_SCENARIOS } from "./hostile.ts";
import { MEMBER_SCENARIOS } from "./members.ts";
import { NETWORK_SCENARIOS } from "./network.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...NETWORK_SCENARIOS,
  ...MEMBER_SCENARIOS,
  ...HOSTILE_SCENARIOS,
];
