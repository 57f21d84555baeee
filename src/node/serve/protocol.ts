/** What the server's thread may ask of the thread that writes. Messages are structured clones. */
import type { Verdict } from "../../core/index.ts";
import type { BegunText, TextPart, TextRequest } from "../../serving/index.ts";

/** Where the model is: a folder as `export` writes it, or a node's folder, whose newest checkpoint it is. */
export interface ModelPlace {
  readonly kind: "model" | "data";
  readonly dir: string;
}

export interface WriterOptions {
  readonly place: ModelPlace;
  readonly threads: number;
  /** Instead of the model's own. */
  readonly chatTemplate: string | null;
}

/** Of a model that has just been taken up. */
export interface ModelFacts {
  /** As its folder or run is called. */
  readonly name: string;
  readonly fingerprint: string;
  readonly contextTokens: number;
  readonly origin: Readonly<Record<string, string | number>>;
}

export interface WriterThread {
  open(options: WriterOptions): Promise<void>;
  /** Takes up the newest model; null when that is the one it has. */
  refresh(): Promise<ModelFacts | null>;
  /** Refused with `PROMPT_TOO_LONG`, `TOKEN_UNKNOWN`, `CHAT_TEMPLATE_MISSING`, `CHAT_REFUSED`. */
  begin(request: TextRequest): Promise<Verdict<BegunText>>;
  next(text: number): Promise<TextPart>;
  end(text: number): Promise<void>;
  close(): Promise<void>;
}

/** What the writing thread may ask of the server's. */
export interface WriterOwner {
  log(level: "debug" | "info" | "warn" | "error", message: string, context: Record<string, unknown>): void;
}
