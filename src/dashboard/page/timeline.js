/** The last rounds as bars: how long each took, and what the time went into. */
import { byId, h, keep, moved, say } from "./dom.js";
import { duration } from "./format.js";

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("../snapshot.ts").RoundSpan} RoundSpan */

/** From the bottom up. */
const PARTS = /** @type {const} */ (["prepare", "train", "publish", "collect"]);
const WIDTH_PX = 24;

const box = byId("rounds");
const readout = byId("rounds-readout");
/** The round that a person has chosen; null: the newest. @type {string | null} */
let chosen = null;
/** @type {readonly RoundSpan[]} */
let spans = [];

/** @param {Snapshot} snapshot */
export function showRounds({ rounds }) {
  const room = Math.max(8, Math.floor(box.clientWidth / WIDTH_PX));
  spans = rounds.slice(-room);
  if (spans.length === 0) return say(readout, "No round has begun yet.");
  const longestMs = Math.max(...spans.map(totalMs), 1);
  keep(
    box,
    spans.map((span) => ({ span, share: totalMs(span) / longestMs })),
    { key: ({ span }) => String(span.round), make: makeBar, fill: fillBar },
  );
  choose();
}

function makeBar() {
  const stack = h(
    "div",
    { class: "stack" },
    ...PARTS.toReversed().map((part) => h("i", { "data-part": part })),
  );
  return h(
    "div",
    { class: "round", role: "option", tabindex: "-1" },
    stack,
    h("span", { "aria-hidden": "true" }),
  );
}

/**
 * @param {Element} bar
 * @param {{ span: RoundSpan, share: number }} item
 */
function fillBar(bar, { span, share }) {
  const stack = /** @type {HTMLElement} */ (bar.firstElementChild);
  stack.style.setProperty("--share", share.toFixed(4));
  for (const [i, part] of PARTS.toReversed().entries()) {
    const line = /** @type {HTMLElement} */ (stack.children[i]);
    line.style.flexGrow = String(Math.round(partMs(span, part)));
  }
  say(/** @type {Element} */ (bar.querySelector("span")), String(span.round));
  bar.setAttribute("aria-label", wordsOf(span));
}

/**
 * @param {RoundSpan} span
 * @param {(typeof PARTS)[number]} part
 */
function partMs(span, part) {
  switch (part) {
    case "prepare":
      return span.waitMs + span.foldMs;
    case "train":
      return span.trainMs;
    case "publish":
      return span.publishMs;
    case "collect":
      return span.collectMs;
  }
}

/** @param {RoundSpan} span */
function totalMs(span) {
  return span.waitMs + span.foldMs + span.trainMs + span.publishMs + span.collectMs;
}

/** @param {RoundSpan} span */
function wordsOf(span) {
  const parts = PARTS.map((part) => `${part} ${duration(partMs(span, part))}`).join(", ");
  return `Round ${span.round}${span.endedMs === null ? " so far" : ""}: ${duration(totalMs(span))} (${parts})`;
}

function choose() {
  const bars = /** @type {HTMLElement[]} */ ([...box.children]);
  const bar = bars.find(({ dataset }) => dataset["key"] === chosen) ?? bars.at(-1);
  for (const each of bars) {
    each.setAttribute("aria-selected", String(each === bar));
    each.tabIndex = each === bar ? 0 : -1;
  }
  const span = spans[bar === undefined ? -1 : bars.indexOf(bar)];
  if (span !== undefined) say(readout, wordsOf(span));
}

/** @param {Event} event */
function barOf(event) {
  const bar = /** @type {Element} */ (event.target).closest(".round");
  return bar instanceof HTMLElement ? bar : undefined;
}

box.addEventListener("keydown", (event) => {
  const bars = /** @type {HTMLElement[]} */ ([...box.children]);
  const bar = barOf(event);
  const next = moved(event, bar === undefined ? 0 : bars.indexOf(bar), bars.length);
  if (next !== undefined) bars[next]?.focus();
});
for (const kind of ["focusin", "pointerover"]) {
  box.addEventListener(kind, (event) => {
    chosen = barOf(event)?.dataset["key"] ?? chosen;
    choose();
  });
}
for (const kind of ["focusout", "pointerleave"]) {
  box.addEventListener(kind, () => {
    chosen = null;
    choose();
  });
}
