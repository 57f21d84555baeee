/**
 * TensorFlow.js with its native library, where the user has installed it: a GPU build before a CPU build. Neither is a
 * dependency of ours, since each brings hundreds of megabytes.
 */
import { createRequire } from "node:module";
import util from "node:util";
import type * as TensorFlow from "@tensorflow/tfjs";
import { StarlingError, messageOf } from "../../../core/index.ts";

export type Tf = typeof TensorFlow;

const PACKAGES: readonly string[] = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"];

/** What tfjs-node 4.22 still calls of `node:util` and Node 23 removed (deprecations DEP0044 and following). */
const REMOVED: Readonly<Record<string, (value: unknown) => boolean>> = {
  isArray: (value) => Array.isArray(value),
  isBoolean: (value) => typeof value === "boolean",
  isFunction: (value) => typeof value === "function",
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === "number",
  isObject: (value) => value !== null && typeof value === "object",
  isPrimitive: (value) => value === null || (typeof value !== "object" && typeof value !== "function"),
  isString: (value) => typeof value === "string",
  isUndefined: (value) => value === undefined,
};

const require = createRequire(import.meta.url);

/** Whether one of the packages is installed; its library may still fail to load. */
export function isTfjsInstalled(): boolean {
  return installed().length > 0;
}

/** @throws StarlingError `ENGINE_UNAVAILABLE` when neither package is installed, or its native library does not load. */
export function loadTfjs(): Tf {
  const [name] = installed();
  if (name === undefined) {
    throw new StarlingError(
      "ENGINE_UNAVAILABLE",
      `expected ${PACKAGES.join(" or ")} to be installed for the tfjs engine: npm install --no-save @tensorflow/tfjs-node@4.22.0`,
    );
  }
  restoreUtil(util as unknown as Record<string, unknown>);
  try {
    return require(name) as Tf;
  } catch (error) {
    // Translated: a missing library is the user's to install.
    throw new StarlingError(
      "ENGINE_UNAVAILABLE",
      `expected ${name} to load its native library, got: ${messageOf(error)}; install it again, or choose another engine`,
      { cause: error },
    );
  }
}

/** Puts back what is missing, and nothing else. */
export function restoreUtil(target: Record<string, unknown>): void {
  for (const [name, test] of Object.entries(REMOVED)) target[name] ??= test;
}

function installed(): string[] {
  return PACKAGES.filter((name) => {
    try {
      return require.resolve(name) !== "";
    } catch {
      // Not installed, which is the usual case.
      return false;
    }
  });
}
