/** The page: takes snapshots as they come and gives each panel its part. */
import { byId, h, keep, say } from "./dom.js";
import { UNKNOWN, count, nats, percent, shortPeer } from "./format.js";
import { showHost } from "./host.js";
import { follow } from "./live.js";
import { showLoss } from "./loss.js";
import { showMesh } from "./mesh.js";
import { showPhases } from "./phases.js";
import { showContributions, showRanking } from "./tables.js";
import { startTheme } from "./theme.js";
import { showRounds } from "./timeline.js";

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */

const main = byId("main");
const link = byId("link");
const state = byId("state");

/** Tone of the state's pill; any other is the accent. @type {Record<string, string>} */
const TONES = {
  starting: "quiet",
  fetching: "quiet",
  waiting: "quiet",
  finished: "quiet",
  stopped: "warn",
  paused: "warn",
};

/** @param {Snapshot} snapshot */
function show(snapshot) {
  const { node } = snapshot;
  say(byId("run-name"), node.runName || "Starling");
  document.title = `${node.runName || "Starling"} · round ${snapshot.round}`;
  say(
    byId("node-line"),
    `${count(node.parametersCount)} parameters · ${engineOf(node)} · …${shortPeer(node.peerId)}`,
  );
  state.hidden = false;
  state.dataset["tone"] = TONES[node.state] ?? "";
  say(state, node.pausedWhy === null ? node.state : `paused: ${node.pausedWhy}`);
  showFigures(snapshot);
  showLoss(snapshot);
  showRounds(snapshot);
  showPhases(snapshot);
  showMesh(snapshot);
  showContributions(snapshot);
  showRanking(snapshot);
  showHost(snapshot);
  say(byId("foot"), `starling ${node.version} · run ${node.run} · peer ${node.peerId}`);
  main.setAttribute("aria-busy", "false");
}

/** @param {Snapshot["node"]} node */
function engineOf({ engine, devicesCount }) {
  if (!engine) return "no engine yet";
  return devicesCount === null || devicesCount === 1 ? engine : `${engine} × ${devicesCount}`;
}

/** @param {Snapshot} snapshot */
function showFigures({ round, settled, loss, phases, phase, host, own, mesh, contributions }) {
  const step = phases.find((each) => each.phase === phase);
  const connected = mesh.peers.filter((peer) => peer.connected).length;
  const authors = new Set(contributions.filter((c) => c.round >= round - 1).map((c) => c.author)).size;
  const figures = [
    ["Round", String(round), settled === null ? "none has settled" : `${settled.round} settled`],
    [
      "Validation loss",
      nats(loss.validationNats),
      loss.validationFirstNats === null ? "" : `from ${nats(loss.validationFirstNats)}`,
    ],
    [
      "Learned",
      step === undefined ? UNKNOWN : count(step.tokensDone),
      step === undefined ? "" : `tokens · ${percent(step.tokensDone / step.tokensBudget)} of phase`,
    ],
    ["Speed", count(host.tokensPerSecond), "tokens per second"],
    ["Included", `${own.included} of ${own.published}`, "own contributions"],
    ["Peers", String(connected), authors === 0 ? "nobody has published" : `${authors} active lately`],
  ];
  keep(byId("figures"), figures, {
    key: ([name]) => name ?? "",
    make: () => h("div"),
    fill: (element, [name = "", value = "", note = ""]) =>
      element.replaceChildren(h("dt", {}, name), h("dd", {}, value), h("dd", {}, note)),
  });
}

startTheme();
follow({
  show,
  link(now) {
    link.dataset["link"] = now;
    say(link, now === "lost" ? "reconnecting…" : now);
    main.classList.toggle("stale", now === "lost");
  },
});
