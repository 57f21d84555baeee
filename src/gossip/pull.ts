/**
 * Many blocks from many holders at once, in any order, each handed on as soon as it is here (and then served to others,
 * by whoever keeps it). Holders come and go while it runs; who lies or falls silent is asked no more. What is under
 * way is bounded for each holder and in all, and a block counts until it has been taken, so a slow disk slows the
 * network and not the memory.
 */
import { setMaxListeners } from "node:events";
import {
  type Cid,
  type Clock,
  type Logger,
  type PeerId,
  type SeededRandom,
  StarlingError,
  type Verdict,
  pause,
} from "../core/index.ts";
import { HAVE_CIDS_MAX, type HaveQuestion, type Holding } from "./have-protocol.ts";
import {
  type Ask,
  FRESH_MS,
  type Holder,
  type Want,
  hasPromised,
  isPause,
  isToBeAskedAnew,
  nextAsk,
} from "./pull-plan.ts";

export interface PullOptions {
  /** In their order; the first 256 that are missing are worked on. */
  readonly cids: readonly Cid[];
  /** Under which name holders can be found in the DHT. */
  readonly root: Cid;
  /** Who may have some of them, the likeliest first; asked again all the time. */
  holders(): readonly PeerId[];
  /** Keeps a block that matches its CID. When it rejects, the pull ends with its reason. */
  take(cid: Cid, block: Uint8Array): Promise<void>;
  readonly signal: AbortSignal;
}

export interface PullDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: SeededRandom;
  /** One verified block. */
  readonly ask: (holder: PeerId, cid: Cid, signal: AbortSignal) => Promise<Verdict<Uint8Array>>;
  readonly have: (
    holder: PeerId,
    question: HaveQuestion,
    signal: AbortSignal,
  ) => Promise<Verdict<readonly Holding[]>>;
  readonly providers: (cid: Cid, signal: AbortSignal) => Promise<readonly PeerId[]>;
}

/** Blocks on their way at once: 16 MiB. Guess: four holders as fast as one connection can be (four each, measured). */
const ASKS_MAX = 16;
const ASKS_PER_HOLDER_MAX = 4;
/** Holders that are asked what they have. Guess: as many as GossipSub's mesh and some. */
const HOLDERS_MAX = 24;
/** How often the plan is looked at when nothing happens. */
const TICK_MS = 100;
/** Between two questions to a holder that had nothing for us: doubling. Guess. */
const PAUSE_MS_FIRST = FRESH_MS;
const PAUSE_MS_MAX = 500;
const BUSY_MS_FIRST = 200;
const BUSY_MS_MAX = 3_200;
const FAILURES_MAX = 2;
/** Nothing has come for so long: the caller decides whether to go on. Guess: longer than a stream may stand still. */
const STALL_MS = 30_000;

interface Source extends Holder {
  isTelling: boolean;
  pauseMs: number;
  nextQuestionMs: number;
  busyMs: number;
  failures: number;
  lastCode: string;
  dropped: boolean;
}

/**
 * Resolves when all blocks have been taken. Throws `BLOCK_NOT_FOUND` when nobody is left to ask, nothing has come for
 * 30 s, or the signal was aborted, and what `take` throws; always after everything that was started has ended.
 */
export async function pull(options: PullOptions, deps: PullDeps): Promise<void> {
  await new Pull(options, deps).run();
}

class Pull {
  readonly #o: PullOptions;
  readonly #deps: PullDeps;
  readonly #wants: Map<Cid, Want>;
  readonly #sources = new Map<PeerId, Source>();
  readonly #tasks = new Set<Promise<void>>();
  /** Aborts every ask that is under way. */
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  /** For each block under way, the asks that are not needed any more once it is here. */
  readonly #asks = new Map<Cid, Set<AbortController>>();
  #providers: readonly PeerId[] | undefined;
  #asksCount = 0;
  #failure: unknown;
  #lastBlockMs: number;
  /** Whether what was given to others is asked for now, because nothing came for long. */
  #hasWaited = false;
  #pausesCount = 0;
  #wake: () => void = () => undefined;

  constructor(options: PullOptions, deps: PullDeps) {
    this.#o = options;
    this.#deps = deps;
    this.#wants = new Map(options.cids.map((cid) => [cid, { cid, asked: new Map<PeerId, number>() }]));
    this.#lastBlockMs = deps.clock.nowMs();
    this.#signal = AbortSignal.any([options.signal, this.#ended.signal]);
    setMaxListeners(0, this.#signal, this.#ended.signal);
  }

  async run(): Promise<void> {
    try {
      while (this.#wants.size > 0 && this.#failure === undefined) {
        if (this.#signal.aborted) throw this.#notFound("the deadline came first");
        if (this.#deps.clock.nowMs() - this.#lastBlockMs > STALL_MS)
          throw this.#notFound(`nothing came for ${STALL_MS} ms`);
        this.#meet();
        this.#start();
        if (this.#tasks.size === 0 && this.#open().length === 0)
          throw this.#notFound("nobody is left to ask");
        await this.#change();
      }
    } finally {
      this.#ended.abort(new Error("the pull has ended"));
      while (this.#tasks.size > 0) await Promise.all(this.#tasks);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The blocks that are worked on. */
  #window(): Want[] {
    const window: Want[] = [];
    for (const want of this.#wants.values()) {
      if (window.length >= HAVE_CIDS_MAX) break;
      window.push(want);
    }
    return window;
  }

  #open(): Source[] {
    return [...this.#sources.values()].filter(({ dropped }) => !dropped);
  }

  /** Takes in who may be asked now; once they have nothing for us, whoever the DHT knows. */
  #meet(): void {
    for (const peer of [...this.#o.holders(), ...(this.#providers ?? [])]) {
      if (this.#open().length >= HOLDERS_MAX) break;
      if (!this.#sources.has(peer)) this.#sources.set(peer, newSource(peer));
    }
    const isTold = this.#open().every(({ isTelling, toldMs }) => !isTelling && toldMs > -Infinity);
    if (this.#providers !== undefined || this.#asksCount > 0 || !isTold) return;
    if (this.#window().every(({ cid }) => this.#open().some(({ held }) => held.has(cid)))) return;
    this.#providers = [];
    this.#run(async () => {
      this.#providers = await this.#deps.providers(this.#o.root, this.#signal);
    });
  }

  /** Every ask that is possible now, and a question to everyone who could give more than we know. */
  #start(): void {
    const nowMs = this.#deps.clock.nowMs();
    const window = this.#window();
    const sources = this.#open();
    const progress = { nowMs, lastBlockMs: this.#lastBlockMs, pausesCount: this.#pausesCount };
    const isWaitOver = sources.length > 1 && isPause(sources, progress);
    while (this.#asksCount < ASKS_MAX) {
      const ask = nextAsk(window, sources, progress, this.#deps.random);
      if (ask === undefined) break;
      if (isWaitOver && ask.holder.given.has(ask.want.cid)) this.#hasWaited = true;
      this.#ask(ask, nowMs);
    }
    for (const source of sources) {
      // Also while all it may be asked at once is on its way: the next must be promised by then, or the line stands still.
      const isIdle =
        this.#asksCount < ASKS_MAX && (source.asksCount < source.asksMax || !hasPromised(source, window));
      if (!isIdle || source.isTelling) continue;
      if (nowMs < source.nextQuestionMs && !isToBeAskedAnew(source, window, nowMs)) continue;
      this.#question(source, window);
    }
  }

  #question(source: Source, window: readonly Want[]): void {
    const { clock, have } = this.#deps;
    const cids = window.map(({ cid }) => cid);
    source.isTelling = true;
    this.#run(async () => {
      const takes = source.asksMax;
      const told = await have(source.peer, { takes, cids }, this.#signal);
      source.isTelling = false;
      source.toldMs = clock.nowMs();
      if (told.kind !== "accept") return this.#refused(source, told.kind, told.code);
      if (told.value.length === 0) return this.#refused(source, "ignore", "BLOCK_BUSY");
      source.failures = 0;
      const pick = (wanted: readonly Holding[]): Set<Cid> =>
        new Set(cids.filter((_, i) => wanted.includes(told.value[i] ?? "missing")));
      const [held, given] = [pick(["held", "given"]), pick(["given"])];
      const isNews = [...held].some((cid) => !source.held.has(cid));
      source.held = held;
      source.given = given;
      source.pauseMs = isNews ? PAUSE_MS_FIRST : Math.min(PAUSE_MS_MAX, 2 * source.pauseMs);
      // What was promised will be asked for right now; then there may be more.
      source.nextQuestionMs = source.toldMs + (held.size > given.size ? 0 : source.pauseMs);
    });
  }

  #ask({ want, holder }: Ask, nowMs: number): void {
    const source = holder as Source;
    const { clock, ask } = this.#deps;
    const control = new AbortController();
    const asks = this.#asks.get(want.cid) ?? new Set();
    this.#asks.set(want.cid, asks.add(control));
    want.asked.set(source.peer, nowMs);
    source.asksCount += 1;
    this.#asksCount += 1;
    this.#run(async () => {
      try {
        const signal = AbortSignal.any([this.#signal, control.signal]);
        const verdict = await ask(source.peer, want.cid, signal);
        // The holder's line is free again; what is being taken counts only for all together.
        source.asksCount -= 1;
        if (verdict.kind === "accept") {
          const tookMs = clock.nowMs() - nowMs;
          source.blockMs = source.blockMs === undefined ? tookMs : 0.7 * source.blockMs + 0.3 * tookMs;
          source.asksMax = Math.min(ASKS_PER_HOLDER_MAX, source.asksMax + 1);
          [source.failures, source.busyMs] = [0, BUSY_MS_FIRST];
          await this.#take(want, control, verdict.value);
        } else if (!control.signal.aborted) this.#refused(source, verdict.kind, verdict.code, want.cid);
      } finally {
        asks.delete(control);
        want.asked.delete(source.peer);
        this.#asksCount -= 1;
      }
    });
  }

  async #take(want: Want, control: AbortController, block: Uint8Array): Promise<void> {
    // Two holders may have been asked; the first one's is taken.
    if (!this.#wants.delete(want.cid)) return;
    for (const other of this.#asks.get(want.cid) ?? [])
      if (other !== control) other.abort(new Error("another holder was faster"));
    this.#lastBlockMs = this.#deps.clock.nowMs();
    if (this.#hasWaited) this.#pausesCount += 1;
    this.#hasWaited = false;
    await this.#o.take(want.cid, block);
  }

  #refused(source: Source, kind: "ignore" | "reject", code: string, cid?: Cid): void {
    if (this.#signal.aborted) return;
    const nowMs = this.#deps.clock.nowMs();
    source.lastCode = code;
    if (code === "BLOCK_MISSING" && cid !== undefined) {
      source.held = new Set([...source.held].filter((each) => each !== cid));
    } else if (code === "BLOCK_BUSY") {
      source.asksMax = Math.max(1, Math.floor(source.asksMax / 2));
      source.restUntilMs = nowMs + source.busyMs * (0.5 + this.#deps.random.unit());
      source.nextQuestionMs = source.restUntilMs;
      source.busyMs = Math.min(BUSY_MS_MAX, 2 * source.busyMs);
    } else {
      source.failures += 1;
      source.asksMax = 1;
      source.nextQuestionMs = nowMs + BUSY_MS_FIRST;
      source.dropped = kind === "reject" || source.failures >= FAILURES_MAX;
      if (source.dropped) this.#deps.log.debug("holder dropped", { peer: source.peer, code });
    }
  }

  #run(work: () => Promise<void>): void {
    const task = work()
      .catch((error: unknown) => {
        // Asking gives verdicts; what is thrown is the caller's own failure, such as a full disk.
        this.#failure ??= error;
      })
      .finally(() => {
        this.#tasks.delete(task);
        this.#wake();
      });
    this.#tasks.add(task);
  }

  /** Until something that was started has ended, or a moment has passed. */
  async #change(): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const signal = AbortSignal.any([woken.signal, this.#signal]);
    setMaxListeners(0, signal);
    await pause(this.#deps.clock, TICK_MS, signal);
    this.#wake = () => undefined;
  }

  #notFound(why: string): StarlingError {
    const asked = [...this.#sources.values()].map(({ peer, lastCode, held, toldMs }) => {
      const what = lastCode || (toldMs > -Infinity ? `has ${held.size}` : "has not answered");
      return `${peer} ${what}`;
    });
    const whom = asked.join(", ") || "nobody to ask";
    const message = `expected holders of ${this.#wants.size} more blocks under ${this.#o.root}: ${whom}; ${why}`;
    return new StarlingError("BLOCK_NOT_FOUND", message);
  }
}

function newSource(peer: PeerId): Source {
  return {
    peer,
    held: new Set(),
    given: new Set(),
    toldMs: -Infinity,
    asksCount: 0,
    asksMax: 1,
    restUntilMs: 0,
    blockMs: undefined,
    isTelling: false,
    pauseMs: PAUSE_MS_FIRST,
    nextQuestionMs: 0,
    busyMs: BUSY_MS_FIRST,
    failures: 0,
    lastCode: "",
    dropped: false,
  };
}
