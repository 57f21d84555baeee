/** Who may ask, by API key. Only hashes are kept, and compared in constant time. */
import { createHash, timingSafeEqual } from "node:crypto";
import { StarlingError } from "../core/index.ts";

export interface ApiKey {
  /** Under which its use is counted. */
  readonly name: string;
  readonly key: string;
}

/** Guess: 16 characters of a random key cannot be tried out over a network. */
const KEY_LENGTH_MIN = 16;
const NAME = /^[\w.@-]{1,64}$/;

/** Whose use is counted where there are no keys. */
export const ANYONE = "anyone";

/**
 * Lines of a name and a key; empty lines and those that begin with # are left out.
 * @throws StarlingError `SERVE_KEYS_INVALID`
 */
export function parseKeys(text: string, where: string): ApiKey[] {
  return text.split("\n").flatMap((line, i): ApiKey[] => {
    const words = line.trim().split(/\s+/);
    if (line.trim() === "" || line.trim().startsWith("#")) return [];
    const [name = "", key = ""] = words;
    // The line itself may be a key, so it is not repeated.
    if (words.length !== 2 || !NAME.test(name))
      throw invalid(`line ${i + 1} of ${where}: a name and a key`, `${words.length} words`);
    return [{ name, key }];
  });
}

function invalid(expected: string, came: string): StarlingError {
  return new StarlingError("SERVE_KEYS_INVALID", `expected ${expected}, got ${came}`);
}

export class KeyRing {
  readonly #hashes: ReadonlyMap<string, Buffer>; // by name

  /** @throws StarlingError `SERVE_KEYS_INVALID` for a key that is too short, and for a name that comes twice. */
  constructor(keys: readonly ApiKey[]) {
    const short = keys.find(({ key }) => key.length < KEY_LENGTH_MIN);
    if (short !== undefined)
      throw invalid(`at least ${KEY_LENGTH_MIN} characters in the key ${short.name}`, `${short.key.length}`);
    this.#hashes = new Map(keys.map(({ name, key }) => [name, hashOf(key)]));
    if (this.#hashes.size !== keys.length) throw invalid("each name once", "one that has several keys");
  }

  get isEmpty(): boolean {
    return this.#hashes.size === 0;
  }

  /** The name of the key in an Authorization header; undefined when it is none of ours. */
  nameOf(authorization: string | undefined): string | undefined {
    if (this.isEmpty) return ANYONE;
    const given = hashOf(/^Bearer (.+)$/i.exec(authorization ?? "")?.[1] ?? "");
    return [...this.#hashes].find(([, hash]) => timingSafeEqual(hash, given))?.[0];
  }
}

function hashOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
