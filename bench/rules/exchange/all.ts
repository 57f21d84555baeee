/** Every rule by name. */
import type { Exchange, Flock } from "../exchange.ts";
import type { RuleName, RuleOptions } from "../settings.ts";
import { average } from "./average.ts";
import { diloco } from "./diloco.ts";
import { local } from "./local.ts";
import { noloco } from "./noloco.ts";
import { sparseloco } from "./sparseloco.ts";
import { starling } from "./starling.ts";

type MakeExchange = (flock: Flock, options: RuleOptions) => Exchange;

export const exchanges: Readonly<Record<RuleName, MakeExchange>> = {
  alone: local,
  local,
  // One gradient over everybody's batches, every step: H is 1, and averaging a step of weights is not averaging
  // gradients under Adam, so the flock of this rule is one learner with a batch of all (measure.ts).
  synchronous: average,
  average,
  diloco,
  sparseloco,
  noloco,
  starling,
};
