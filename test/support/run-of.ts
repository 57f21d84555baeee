/** The names and runs of the simulator (scripts/simulate/), where most tests look for them. */
export {
  type RunOptions,
  digestOfText,
  peerOf,
  runIdOf,
  runOf,
  textBytes,
} from "../../scripts/simulate/run-of.ts";
