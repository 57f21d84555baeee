/** The simulator's flock (scripts/simulate/), where most tests look for it. */
export { Flock, type FlockOptions } from "../../scripts/simulate/flock.ts";
