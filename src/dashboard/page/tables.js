/** Contributions with their fate, and the ranking. */
import { byId, h, keep } from "./dom.js";
import { UNKNOWN, bytes, count, grouped, nats, percent, shortPeer } from "./format.js";

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("../snapshot.ts").ContributionRow} ContributionRow */
/** @typedef {import("../snapshot.ts").RankRow} RankRow */

const contributions = byId("contributions");
const contributionsEmpty = byId("contributions-empty");
const ranking = byId("ranking");
const rankingEmpty = byId("ranking-empty");
const onlyOwn = /** @type {HTMLInputElement} */ (byId("only-own"));
/** @type {Snapshot | undefined} */
let last;
onlyOwn.addEventListener("change", () => last && showContributions(last));

/** @param {Snapshot} snapshot */
export function showContributions(snapshot) {
  last = snapshot;
  const { peerId } = snapshot.node;
  const rows = snapshot.contributions.filter(({ author }) => !onlyOwn.checked || author === peerId);
  contributionsEmpty.hidden = rows.length > 0;
  keep(
    contributions,
    rows.map((row) => ({ row, isOwn: row.author === peerId })),
    { key: ({ row }) => row.id, make: () => h("tr"), fill: fillContribution },
  );
}

/**
 * @param {Element} line
 * @param {{ row: ContributionRow, isOwn: boolean }} item
 */
function fillContribution(line, { row, isOwn }) {
  const fate = row.why === null ? row.fate : `${row.fate}: ${row.why}`;
  const isClosing = row.steps === 0;
  line.className = isOwn ? "own" : "";
  line.replaceChildren(
    number(String(row.round)),
    author(row.author, isOwn),
    h("td", {}, h("span", { class: "fate", "data-fate": row.fate }, fate)),
    number(nats(row.lossNats)),
    number(isClosing ? "only cites" : String(row.steps)),
    number(isClosing ? UNKNOWN : count(row.tokens)),
    number(isClosing ? UNKNOWN : bytes(row.deltaBytes)),
  );
}

/** @param {Snapshot} snapshot */
export function showRanking(snapshot) {
  const { peerId } = snapshot.node;
  const rows = snapshot.ranking;
  rankingEmpty.hidden = rows.length > 0;
  keep(
    ranking,
    rows.map((row, i) => ({ row, place: i + 1, isOwn: row.peerId === peerId })),
    { key: ({ row }) => row.peerId, make: () => h("tr"), fill: fillRank },
  );
}

/**
 * @param {Element} line
 * @param {{ row: RankRow, place: number, isOwn: boolean }} item
 */
function fillRank(line, { row, place, isOwn }) {
  line.className = isOwn ? "own" : "";
  line.replaceChildren(
    number(String(place)),
    author(row.peerId, isOwn),
    number(percent(row.weightShare)),
    number(row.credits === null ? UNKNOWN : grouped(row.credits)),
  );
}

/** @param {string} text */
function number(text) {
  return h("td", { class: "num" }, text);
}

/**
 * @param {string} peerId
 * @param {boolean} isOwn
 */
function author(peerId, isOwn) {
  const name = isOwn
    ? h("span", { class: "you" }, "this node")
    : h("span", { class: "mono" }, shortPeer(peerId));
  name.title = peerId;
  return h("td", {}, name);
}
