/** Texts that the learner's thread is writing, by number: each goes on when somebody asks for more of it. */
import { StarlingError } from "../../core/index.ts";

/** Each holds a copy of the weights. Guess: enough for a person and a script. */
const TEXTS_MAX = 2;

export class OpenTexts {
  readonly #texts = new Map<number, AsyncGenerator<string>>();
  #last = 0;

  /** @throws StarlingError `GENERATE_BUSY` */
  open(text: AsyncGenerator<string>): number {
    if (this.#texts.size >= TEXTS_MAX) {
      throw new StarlingError(
        "GENERATE_BUSY",
        `expected at most ${TEXTS_MAX} texts at once: wait until one has ended`,
      );
    }
    this.#texts.set(++this.#last, text);
    return this.#last;
  }

  async next(number: number): Promise<string | null> {
    const text = this.#texts.get(number);
    if (text === undefined) return null;
    try {
      const { done, value } = await text.next();
      if (done !== true) return value;
    } catch (error) {
      // It can't go on; whoever asked for it hears why.
      this.#texts.delete(number);
      throw error;
    }
    this.#texts.delete(number);
    return null;
  }

  async close(number: number): Promise<void> {
    const text = this.#texts.get(number);
    this.#texts.delete(number);
    await text?.return(undefined);
  }

  async closeAll(): Promise<void> {
    for (const number of this.#texts.keys()) await this.close(number);
  }
}
