/**
 * Loaded into a node's process before anything else (`node --expose-gc --import`), and by itself into its threads: garbage is collected
 * every few seconds. V8 does so when it likes, which for a node of a small model is after minutes: its resident memory
 * goes from 280 to 500 MB meanwhile, with the same 70 MB alive all the time (docs/log.md). Who weighs a node wants to know what it holds.
 */

/** Takes 50 ms of a core for a heap of 50 MB. */
const EVERY_MS = 5_000;

setInterval(() => globalThis.gc?.(), EVERY_MS).unref();
