/**
 * The network around the node as a picture: itself in the middle, the others around it. Thick lines carry gossip, dotted
 * ones are connections, thin arcs are citations of the newest full round; a disc's area is its voting weight.
 */
import { byId, h, keep, moved, s, say } from "./dom.js";
import { duration, percent, shortPeer } from "./format.js";

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("../snapshot.ts").MeshPeer} MeshPeer */
/** @typedef {{ x: number, y: number }} Place */

const SIZE = 340;
const CENTRE = { x: SIZE / 2, y: SIZE / 2 };
const RING = 122;
/** More names than that would run into each other. */
const NAMES_MAX = 16;

const box = byId("mesh");
const readout = byId("mesh-readout");
const total = byId("mesh-count");
const lines = s("g", { "aria-hidden": "true" });
const peersGroup = s("g", { role: "list", "aria-label": "Peers" });
const self = s(
  "g",
  { class: "self", transform: `translate(${CENTRE.x} ${CENTRE.y})` },
  s("circle", { r: "15" }),
  s("text", { y: "32" }, "this node"),
);
const picture = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}` }, lines, self, peersGroup);
const empty = h(
  "p",
  { class: "empty" },
  "Nobody else is here yet. The others need one address of this node to join.",
);
let drawn = "";
/** @type {Snapshot | undefined} */
let last;

/** @param {Snapshot} snapshot */
export function showMesh(snapshot) {
  last = snapshot;
  const { mesh, round } = snapshot;
  const connected = mesh.peers.filter((peer) => peer.connected).length;
  say(total, `${connected} connected`);
  if (mesh.peers.length === 0) {
    drawn = "";
    say(readout, "");
    return box.replaceChildren(empty);
  }
  if (picture.parentNode === null) box.replaceChildren(picture);
  const places = mesh.peers.map((_, i) => placeOf(i, mesh.peers.length));
  const key = JSON.stringify([mesh.citations, mesh.peers.map((p) => [p.peerId, p.connected, p.neighbour])]);
  if (key !== drawn) drawLines(mesh, places);
  drawn = key;
  keep(
    peersGroup,
    mesh.peers.map((peer, i) => ({
      peer,
      place: /** @type {Place} */ (places[i]),
      isCurrent: peer.round !== null && peer.round >= round - 1,
      named: mesh.peers.length <= NAMES_MAX,
    })),
    { key: ({ peer }) => peer.peerId, make: makePeer, fill: fillPeer },
  );
  if (!peersGroup.querySelector("[tabindex='0']"))
    peersGroup.firstElementChild?.setAttribute("tabindex", "0");
  tell();
}

/**
 * @param {number} i
 * @param {number} length
 * @returns {Place}
 */
function placeOf(i, length) {
  // One or two lie beside the node, whose name is below it.
  const first = length <= 2 ? 0 : Math.PI / length - Math.PI / 2;
  const angle = first + (2 * Math.PI * i) / length;
  return { x: CENTRE.x + RING * Math.cos(angle), y: CENTRE.y + RING * Math.sin(angle) };
}

/**
 * @param {Snapshot["mesh"]} mesh
 * @param {readonly Place[]} places
 */
function drawLines({ peers, citations }, places) {
  const at = (/** @type {number} */ i) => (i < 0 ? CENTRE : /** @type {Place} */ (places[i]));
  const arcs = citations
    // Our own citations would lie under the wires.
    .filter(([from, to]) => from >= 0 && to >= 0)
    .map(([from, to]) => s("path", { class: "citation", d: arc(at(from), at(to)) }));
  const wires = peers.flatMap((peer, i) => {
    if (!peer.connected) return [];
    const { x, y } = at(i);
    const kind = peer.neighbour ? "wire neighbour" : "wire";
    return [s("line", { class: kind, x1: fixed(CENTRE.x), y1: fixed(CENTRE.y), x2: fixed(x), y2: fixed(y) })];
  });
  lines.replaceChildren(...arcs, ...wires);
}

/**
 * Bent away from the middle, so that both directions and the wires stay apart.
 * @param {Place} from
 * @param {Place} to
 */
function arc(from, to) {
  const mid = { x: (from.x + to.x) / 2 + (to.y - from.y) / 9, y: (from.y + to.y) / 2 - (to.x - from.x) / 9 };
  return `M${fixed(from.x)} ${fixed(from.y)}Q${fixed(mid.x)} ${fixed(mid.y)} ${fixed(to.x)} ${fixed(to.y)}`;
}

function makePeer() {
  return s("g", { role: "listitem", tabindex: "-1" }, s("circle"), s("text"));
}

/**
 * @param {Element} element
 * @param {{ peer: MeshPeer, place: Place, isCurrent: boolean, named: boolean }} item
 */
function fillPeer(element, { peer, place, isCurrent, named }) {
  const radius = 5 + 22 * Math.sqrt(peer.weightShare / Math.PI);
  const isLeft = place.x < CENTRE.x - 1;
  element.setAttribute("transform", `translate(${fixed(place.x)} ${fixed(place.y)})`);
  element.setAttribute("class", [isCurrent ? "current" : "", peer.connected ? "" : "away"].join(" ").trim());
  element.setAttribute("aria-label", wordsOf(peer));
  element.querySelector("circle")?.setAttribute("r", fixed(radius));
  const text = element.querySelector("text");
  if (text === null) return;
  const outward = place.y < CENTRE.y ? -radius - 7 : radius + 15;
  text.setAttribute("x", fixed(isLeft ? -4 : 4));
  text.setAttribute("y", fixed(outward));
  say(text, named ? shortPeer(peer.peerId) : "");
}

/** @param {MeshPeer} peer */
function wordsOf(peer) {
  const how = peer.connected ? (peer.neighbour ? "neighbour" : "connected") : "not connected to us";
  const direction = peer.connected ? (peer.inbound ? ", dialled us" : ", dialled by us") : "";
  const ping = peer.pingMs === null ? "" : `, ping ${duration(peer.pingMs)}`;
  const round = peer.round === null ? "" : `, published round ${peer.round}`;
  return `…${shortPeer(peer.peerId)}: ${how}${direction}${ping}${round}, ${percent(peer.weightShare)} of the weight`;
}

/** @type {Element | null} */
let looked = null;

function tell() {
  const peer = last?.mesh.peers.find(({ peerId }) => peerId === looked?.getAttribute("data-key"));
  const hint = "Area: voting weight. Filled: has published lately.";
  say(readout, peer === undefined ? hint : wordsOf(peer));
}

// On the box: Chromium lets a part of an SVG that listens for focus be reached with Tab.
for (const kind of ["focusin", "pointerover"]) {
  box.addEventListener(kind, (event) => {
    looked = /** @type {Element} */ (event.target).closest("[data-key]");
    tell();
  });
}
for (const kind of ["focusout", "pointerleave"]) {
  box.addEventListener(kind, () => {
    looked = null;
    tell();
  });
}
box.addEventListener("keydown", (event) => {
  const all = /** @type {SVGElement[]} */ ([...peersGroup.children]);
  const at = all.findIndex((each) => each === event.target);
  if (at < 0) return;
  const next = moved(/** @type {KeyboardEvent} */ (event), at, all.length);
  if (next === undefined) return;
  for (const [i, each] of all.entries()) each.setAttribute("tabindex", i === next ? "0" : "-1");
  all[next]?.focus();
});

/** @param {number} value */
function fixed(value) {
  return value.toFixed(1);
}
