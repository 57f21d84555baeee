/**
 * Loaded into a node's process before anything else (`node --import`), and by itself into its learner's thread: there the engine
 * is the one that waits (create.ts). Everything else of the node is what everybody runs.
 */
import { registerHooks } from "node:module";

const REAL = new URL("../../../src/trainer/engine/create.ts", import.meta.url).href;
const WAITING = new URL("./create.ts", import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context);
    return resolved.url === REAL && context.parentURL !== WAITING ? { ...resolved, url: WAITING } : resolved;
  },
});
